"""The carriers `sftp` and `email`: the whole list as a file, for partners that have no interface."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncssh
import httpcore
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from yizhan.feeds.models import FileForm, Partner
from yizhan.feeds.payloads import row
from yizhan.places.spreadsheets import safe_csv_cell, text_workbook
from yizhan.unions.webhooks import Answer, Reach
from yizhan.unions.webhooks.receivers import NotPublic, allowed_addresses

from .loads import Load, Result

LONGEST_S = 60.0
_KINDS = {
    FileForm.XLSX: ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    FileForm.CSV: ("text", "csv"),
}


def file_of(load: Load) -> bytes:
    """The file: a line of the partner's names, then one a place. No cell is ever a formula."""
    mapping = load.partner.fields
    lines: list[Sequence[Any]] = [list(mapping), *(row(values, mapping) for values in load.everything)]
    if load.partner.file_form == FileForm.XLSX:
        return text_workbook(lines, title="stations")
    out = io.StringIO()
    csv.writer(out).writerows([safe_csv_cell(str(cell)) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def name_of(partner: Partner, now: datetime) -> str:
    """What the file is called: by the moment, so that none takes the place of an earlier one."""
    return f"stations-{timezone.localtime(now):%Y%m%d-%H%M%S}.{partner.file_form}"


async def carry_by_sftp(load: Load, reach: Reach, now: datetime) -> Result:
    """Lay the file into the partner's folder. The partner has yet to read it."""
    answer = await lay_down(load.partner, name_of(load.partner, now), file_of(load), reach)
    return Result(answer, load.items if answer.is_taken else (), is_confirmed=False)


async def carry_by_email(load: Load, now: datetime) -> Result:
    """Send the file by e-mail. The partner has yet to read it."""
    name, content = name_of(load.partner, now), file_of(load)
    answer = await asyncio.to_thread(send_mail, load.partner, name, content, len(load.everything))
    return Result(answer, load.items if answer.is_taken else (), is_confirmed=False)


async def lay_down(partner: Partner, name: str, content: bytes, reach: Reach) -> Answer:
    """Write a file under a passing name, look that all of it is there, and give it its name.

    Connects only to the host whose key was agreed, at an address within reach that was looked up once.
    """
    parts = urlsplit(partner.address)
    host, port = parts.hostname or "", parts.port or 22
    try:
        async with asyncio.timeout(LONGEST_S):
            (address, *_others) = await allowed_addresses(host, port, reach)
            async with (
                asyncssh.connect(
                    address,
                    port,
                    username=unquote(parts.username or ""),
                    client_keys=[asyncssh.import_private_key(partner.private_key or "")],
                    known_hosts=([asyncssh.import_public_key(partner.host_key)], [], []),
                    agent_path=None,
                    config=None,
                ) as connection,
                connection.start_sftp_client() as sftp,
            ):
                folder = unquote(parts.path).rstrip("/") or "."
                aside, final = f"{folder}/.{name}.part", f"{folder}/{name}"
                async with sftp.open(aside, "wb") as file:
                    await file.write(content)
                if (await sftp.stat(aside)).size != len(content):
                    return Answer(None, "SFTP: the file arrived cut")
                with contextlib.suppress(asyncssh.SFTPNoSuchFile):
                    await sftp.remove(final)
                await sftp.rename(aside, final)
                return Answer(200, f"SFTP: {name}, {len(content)} bytes")
    except TimeoutError:
        return Answer(None, "no answer in time")
    except NotPublic:
        return Answer(None, "not a public address")
    except asyncssh.HostKeyNotVerifiable:
        return Answer(None, "SFTP: the host has another key than agreed")
    except asyncssh.PermissionDenied:
        return Answer(None, "SFTP: the host does not let us in")
    except (OSError, asyncssh.Error, asyncssh.KeyImportError, httpcore.ConnectError, ValueError) as failure:
        return Answer(None, f"SFTP: {type(failure).__name__}")


def send_mail(partner: Partner, name: str, content: bytes, places: int) -> Answer:
    """Hand a file over by e-mail."""
    if not settings.MAIL_IS_SET:
        return Answer(None, "no mail server is set (YIZHAN_EMAIL_URL)")
    with translation.override("zh-hans"):
        mail = EmailMessage(
            subject=_("Stations of %(union)s, %(date)s")
            % {"union": partner.union.name, "date": timezone.localdate().isoformat()},
            body=_(
                "Attached: all %(count)s stations as they stand (datum %(datum)s). Lines that say 请下线 are to be "
                "taken down. Questions: %(url)s"
            )
            % {"count": places, "datum": partner.datum, "url": settings.BASE_URL},
            to=[partner.email],
        )
    mail.attach(name, content, "/".join(_KINDS[FileForm(partner.file_form)]))
    try:
        sent = mail.send()
    except (OSError, ValueError) as failure:  # smtplib's errors are OSErrors
        return Answer(None, f"e-mail: {type(failure).__name__}")
    return Answer(200, f"e-mail: {name}") if sent else Answer(None, "e-mail: not sent")


def new_ssh_key() -> str:
    """A fresh private key, with which we show the partner's server who we are."""
    return asyncssh.generate_private_key("ssh-ed25519", comment="yizhan").export_private_key("openssh").decode()


def ssh_public_key(private: str) -> str:
    """The line that the partner enters as an authorised key."""
    return asyncssh.import_private_key(private).export_public_key("openssh").decode().strip()


def host_key_problem(text: str) -> bool:
    """Whether a text is no public key of a host."""
    try:
        asyncssh.import_public_key(text.strip())
    except (asyncssh.KeyImportError, ValueError):
        return True
    return False
