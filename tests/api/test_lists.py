from __future__ import annotations

from tests.api.conftest import Caller
from tests.cast import Cast


def test_mailboxes_are_those_one_may_see(ben: Caller, carla: Caller, ana: Caller, cast: Cast) -> None:
    assert [m["name"] for m in ben.get("/mailboxes").json["items"]] == ["Billing", "Support"]
    [support] = carla.get("/mailboxes").json["items"]
    assert (support["id"], support["role"], support["mode"]) == (cast.support, "agent", "keywords")
    assert support["health"]["state"] == "ok"
    assert ana.get("/mailboxes").json == {"items": [], "next": None}
