"""Files for replies: uploaded first, then named in a reply or a draft by their ids."""

from __future__ import annotations

from typing import Any

from flask import request

from app.db import transaction
from app.inbox.errors import N_, Invalid
from app.inbox.replies import upload
from app.inbox.replies.upload import Upload
from app.web.api.access import acting
from app.web.api.blueprint import bp, described
from app.web.api.shapes import Attachment


@bp.post("/uploads")
@described("files", Attachment, 201)
def add_upload() -> tuple[dict[str, Any], int]:
    """Upload one file, as the field `file` of a form (multipart/form-data), of at most 25 MB."""
    file = request.files.get("file")
    if file is None:
        raise Invalid("file", N_("Send the file as the field “file” of a form (multipart/form-data)."))
    with transaction() as session:
        kept = upload.store(session, acting(session), file.filename or "", file.mimetype, file.stream)
        return upload_shape(kept), 201


def upload_shape(one: Upload) -> dict[str, Any]:
    return {"id": one.id, "filename": one.filename, "type": one.type, "size": one.size}
