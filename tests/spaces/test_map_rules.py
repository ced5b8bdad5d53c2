"""Where the lieu stands on a map: what may be pasted, and where the link leads."""

from __future__ import annotations

import pytest

from coworking.spaces.map_rules import SpotInvalid, map_url, spot_of, written

THIERS = (45_856_600, 3_548_900)


@pytest.mark.parametrize(
    "pasted",
    [
        "45.8566, 3.5489",
        "45.8566 3.5489",
        "  45.8566;3.5489 ",
        "45,8566 ; 3,5489",
        "https://www.openstreetmap.org/#map=18/45.8566/3.5489",
        "https://www.openstreetmap.org/?mlat=45.8566&mlon=3.5489#map=12/45.0/3.0",
        written(*THIERS),
    ],
)
def test_a_spot_is_read_as_people_paste_it(pasted):
    assert spot_of(pasted) == THIERS


def test_the_south_and_the_west_are_negative():
    assert spot_of("-21.1151, 55.5364") == (-21_115_100, 55_536_400)


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "45.8566",
        "4 rue du Pont",
        "91, 3",
        "45, 181",
        "javascript:alert(1)",
        "https://evil.example/45.8566,3.5489",
        "45.8.5, 3",
    ],
)
def test_what_is_no_spot_is_refused(pasted):
    with pytest.raises(SpotInvalid):
        spot_of(pasted)


def test_the_link_shows_the_spot_else_finds_the_address():
    exact = map_url(*THIERS, "4 rue du Pont")
    assert exact == "https://www.openstreetmap.org/?mlat=45.856600&mlon=3.548900#map=18/45.856600/3.548900"
    assert map_url(None, None, "4 rue du Pont, 63300 Thiers") == (
        "https://www.openstreetmap.org/search?query=4+rue+du+Pont%2C+63300+Thiers"
    )
    assert map_url(None, None, " ") is None
