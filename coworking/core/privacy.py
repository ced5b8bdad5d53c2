"""Who may see which personal data.

Each column that holds some declares it: ``mapped_column(info={"seen_by": (SELF, HOST, MANAGER)})``; ``()`` means nobody.
`docs/privacy.md` prints these declarations, and `tests/privacy` opens every page as each viewer to see that they are true.
"""

from __future__ import annotations

from sqlalchemy import MetaData

SELF = "the person"
COLLEAGUE = "colleagues"
MEMBER = "other members"
CONTACT = "the payer's contact"
HOST = "hosts"
ACCOUNTANT = "accountants"
MANAGER = "managers"
LEAD = "leads"
PUBLIC = "visitors"
LINK = "holders of the link"
PROXY = "who books for them"

VIEWERS = {
    SELF: "whoever the row is about",
    COLLEAGUE: "members of the same organisation; they see each other only if both agreed",
    MEMBER: "anyone else with an account",
    PROXY: "the member whom the team named to book for the person, who agreed to it; they know each other's names",
    CONTACT: "who is written to at the organisation that pays",
    HOST: "hosts of the lieu",
    ACCOUNTANT: "accountants of the lieu",
    MANAGER: "managers of the lieu; they may do what hosts and accountants may",
    LEAD: "who looks after the network, on the network head's own instance",
    PUBLIC: "anyone who is not signed in",
    LINK: "who opens the secret link of an e-mail, or types the code printed on an attestation",
}

ANYONE = (MEMBER, HOST, ACCOUNTANT, MANAGER, LEAD, PUBLIC, LINK)
"""Of what the lieu publishes about itself: everyone."""


def seen_by(metadata: MetaData) -> dict[str, frozenset[str]]:
    """Each personal column (``table.column``) and its declared viewers; raises `ValueError` for an unknown viewer."""
    found: dict[str, frozenset[str]] = {}
    for table in metadata.sorted_tables:
        for column in table.columns:
            if "seen_by" in column.info:
                viewers = frozenset(column.info["seen_by"])
                if unknown := viewers - VIEWERS.keys():
                    raise ValueError(
                        f"{table.name}.{column.name} is seen by {', '.join(sorted(unknown))}: who is that?"
                    )
                found[f"{table.name}.{column.name}"] = viewers
    return found
