"""Files of cases: photos are drawn anew, documents kept as they are; of a confidential case all of them encrypted."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases.actions import FILE_OPENED
from yizhan.cases.facts import GivenFile
from yizhan.cases.models import Case, CaseEvent, CaseFile
from yizhan.places.pictures import clean_picture
from yizhan.unions.audit import record
from yizhan.unions.encryption import decrypt, encrypt
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_FILES: Final = 12  # of one case
ACCEPT: Final = "image/jpeg,image/png,image/webp,application/pdf,.docx,.xlsx"
# What a file begins with, what it is, and by which ending it is told from others that begin alike.
_DOCUMENTS: Final = (
    (b"%PDF-", ".pdf", "application/pdf"),
    (b"PK\x03\x04", ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"PK\x03\x04", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was looked at."""

    name: str
    content: bytes
    content_type: str


def looked_at(given: GivenFile, *, field: str = "files") -> CheckedFile:
    """The file as it may be kept.

    Raises:
        RuleBroken: at `field`: too big, damaged, or neither a picture nor a document that we take.
    """
    name = " ".join(given.name.replace("\\", "/").rsplit("/", 1)[-1].split())[:100] or _("file")
    if given.content.startswith(_PICTURES):
        picture = clean_picture(given.content, field=field)
        return CheckedFile(f"{name.rsplit('.', 1)[0]}.jpg", picture.content, "image/jpeg")
    if len(given.content) > MOST_BYTES:
        raise RuleBroken.at(
            field, name, _("The file has more than %(limit)d MB.") % {"limit": MOST_BYTES // 1024**2}, "too_big"
        )
    for beginning, ending, content_type in _DOCUMENTS:
        if given.content.startswith(beginning) and name.lower().endswith(ending):
            return CheckedFile(name, given.content, content_type)
    raise RuleBroken.at(field, name, _("Only pictures, PDF, Word (docx) and Excel (xlsx) files are taken."), "unknown")


def keep_files(
    case: Case, event: CaseEvent, files: Sequence[CheckedFile], *, for_worker: bool = True
) -> list[CaseFile]:
    """Keep files with the step that brought them. Call it inside the transaction of the step.

    Raises:
        RuleBroken: the case would hold too many.
    """
    if not files:
        return []
    held = CaseFile.objects.with_scopes_disabled().filter(case=case).count()
    if held + len(files) > MOST_FILES:
        raise RuleBroken.at("files", len(files), _("A case holds at most %(n)d files.") % {"n": MOST_FILES}, "too_many")
    kept = []
    for file in files:
        row = CaseFile(
            case=case,
            event=event,
            name=file.name,
            content_type=file.content_type,
            size=len(file.content),
            is_sealed=case.is_confidential,
            for_worker=for_worker,
        )
        stored = encrypt(base64.b64encode(file.content).decode()).encode() if row.is_sealed else file.content
        row.file.save(row.public_id.hex, ContentFile(stored), save=False)
        row.save()
        kept.append(row)
    return kept


def content_of(file: CaseFile) -> bytes:
    """The bytes of a kept file, deciphered."""
    with file.file.open("rb") as stored:
        content: bytes = stored.read()
    return base64.b64decode(decrypt(content.decode())) if file.is_sealed else content


@transaction.atomic
def open_file(file: CaseFile, *, reader: Staff | Operator) -> bytes:
    """The bytes for a reader of the desk, who `visible_cases` has let in; of a confidential case it is recorded."""
    if file.is_sealed:
        record(reader, FILE_OPENED, union=file.case.union, target=file.case)
    return content_of(file)
