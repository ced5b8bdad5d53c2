"""terms and house rules, who accepted them, and how consents changed

Revision ID: 0087
Revises: 0082
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from coworking.core.types import UTCDateTime

revision = "0087"
down_revision = "0082"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "house_text",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("news", sa.String(), nullable=True),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("kind IN ('terms', 'rules')", name=op.f("ck_house_text_kind")),
        sa.ForeignKeyConstraint(["made_by_id"], ["person.id"], name=op.f("fk_house_text_made_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house_text")),
        sa.UniqueConstraint("public_id", name=op.f("uq_house_text_public_id")),
        sa.UniqueConstraint("kind", "from_day", name=op.f("uq_house_text_kind_from_day")),
    )
    op.create_table(
        "text_acceptance",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("house_text_id", NUMBER, nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("way IN ('online', 'paper', 'mistake')", name=op.f("ck_text_acceptance_way")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_text_acceptance_person_id_person")),
        sa.ForeignKeyConstraint(
            ["house_text_id"], ["house_text.id"], name=op.f("fk_text_acceptance_house_text_id_house_text")
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["person.id"], name=op.f("fk_text_acceptance_made_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_acceptance")),
    )
    op.create_index("ix_text_acceptance_person_id", "text_acceptance", ["person_id", "house_text_id"])
    op.create_table(
        "consent_change",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("organisation_id", NUMBER, nullable=True),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by_id", NUMBER, nullable=True),
        sa.CheckConstraint("kind IN ('colleagues', 'employer_dates')", name=op.f("ck_consent_change_kind")),
        sa.CheckConstraint(
            "(kind = 'employer_dates') = (organisation_id IS NOT NULL)", name=op.f("ck_consent_change_organisation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_change_person_id_person")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_consent_change_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["person.id"], name=op.f("fk_consent_change_made_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_change")),
    )
    op.create_index("ix_consent_change_person_id", "consent_change", ["person_id"])
    # The days of what members agreed to show their employer are known. Since when colleagues see somebody is not.
    op.execute(
        "INSERT INTO consent_change (person_id, kind, organisation_id, given, made_at, made_by_id) "
        "SELECT person_id, 'employer_dates', organisation_id, true, dates_shown_at, person_id FROM organisation_member "
        "WHERE dates_shown_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("consent_change")
    op.drop_table("text_acceptance")
    op.drop_table("house_text")
