"""What no database can hold is nobody's: an address with it leads nowhere, a form with it changes nothing."""

from __future__ import annotations

from typing import Any

from app.db import transaction
from tests.cast import Cast, conversation
from tests.web.conftest import Browser


def test_a_number_beyond_all_numbers_is_not_found(carla: Browser, cast: Cast) -> None:
    for path in ("/m/{n}/open", "/conversations/{n}", "/messages/{n}/body", "/attachments/{n}"):
        for n in (2**31, 10**30):
            assert carla.get(path.format(n=n)).status_code == 404, path


def test_text_that_cannot_be_stored_is_refused_or_found_nowhere(carla: Browser, cast: Cast) -> None:
    with transaction() as session:
        id_ = conversation(session).id
    for path in (f"/m/{cast.support}/open?tag=%00", f"/m/{cast.support}/open?q=%00", f"/conversations/{id_}?tag=%00"):
        assert carla.get(path).status_code in (200, 404), path
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("tags", {"name": "a\0b"}),
        ("notes", {"text": "a\0"}),
        ("merge", {"into": "9" * 30}),
    )
    for path, form in forms:
        assert carla.submit(f"/conversations/{id_}/{path}", **form).status_code in (303, 400, 404, 422), path
