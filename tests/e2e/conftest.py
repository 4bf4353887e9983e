"""A real browser against the real thing: `yizhan demo` on a free port, with its own folder and database.

Nothing is replaced: front door, Django, hot application, simulated riders. Without a browser these tests are skipped,
and say so; `YIZHAN_TEST_BROWSER` names one that is not found by itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.benefits.carriers import StandIn, standing_in

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Maps are drawn in software here, and the machine may be busy with other tests: waiting longer proves no less.
expect.set_options(timeout=45_000)

# In the midst of the sample city, WGS-84 degrees.
IN_THE_CITY = {"longitude": 113.665, "latitude": 34.757}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is marked `e2e`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The browser to drive."""
    named = os.environ.get("YIZHAN_TEST_BROWSER")
    if named:
        return named
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium or Chrome is installed; YIZHAN_TEST_BROWSER may name one")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_path: str) -> dict[str, Any]:
    """How pytest-playwright starts it. Maps are drawn in software; nothing is asked of anybody else's servers."""
    return {
        "executable_path": browser_path,
        "args": [
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-unsafe-swiftshader",
        ],
    }


@dataclass(frozen=True)
class Site:
    """The served site: where it is, and who can sign in."""

    address: str
    passwords: dict[str, str]
    var: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_answers(address: str, process: subprocess.Popen[bytes], log: Path, *, seconds: float = 400) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the site did not start:\n{log.read_text()[-3000:]}")
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    pytest.fail(f"the site did not answer within {seconds} s:\n{log.read_text()[-3000:]}")


def _build_front_end_once(shared: Path) -> None:
    """Workers of one test run take turns: the second finds it built."""
    lock = shared / "front-end.lock"
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            time.sleep(0.2)
    try:
        subprocess.run([sys.executable, "-m", "yizhan.site.frontend", "build"], check=True)
    finally:
        lock.rmdir()


def _end(process: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
    """Stop the demo as an operator does; a machine too busy for that keeps nothing of it either."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        command = [sys.executable, "-m", "yizhan.site.cli", "stop", "--demo"]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=180, check=False)


@pytest.fixture(scope="session")
def payment_carriers() -> Iterator[StandIn]:
    """What stands in for WeChat Pay and Alipay, on this machine."""
    with standing_in() as carriers:
        yield carriers


@pytest.fixture(scope="session")
def site(browser_path: str, payment_carriers: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo, running; stopped as an operator stops it."""
    del browser_path  # skip before anything is started
    base = tmp_path_factory.getbasetemp()
    _build_front_end_once(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)
    var, port = tmp_path_factory.mktemp("site"), _free_port()
    address = f"http://127.0.0.1:{port}"
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    environment = {
        **kept,
        "YIZHAN_VAR": str(var),
        "YIZHAN_INSECURE_HTTP": "1",
        "YIZHAN_BASE_URL": address,
        "YIZHAN_WEBHOOK_NETWORKS": '["127.0.0.0/8"]',  # where the tests' receivers are
        "YIZHAN_PAYMENT_OPTIONS": json.dumps(payment_carriers.options(timeout=2.0)),
    }
    log = var / "demo.log"
    command = [sys.executable, "-m", "yizhan.site.cli", "demo", "--port", str(port), "--riders", "40"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _until_answers(f"{address}/readyz", process, log)
        _until_answers(f"{address}/api/places/nearest?lon=113.66&lat=34.75&datum=WGS-84", process, log)
        accounts = json.loads((var / "accounts.json").read_text("utf-8"))
        yield Site(address, {account["username"]: account["password"] for account in accounts}, var)
    finally:
        _end(process, environment)


@pytest.fixture(params=[pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    """Both sizes that pages are made for."""
    return dict(request.param)


NewPage = Callable[..., Page]
WORKER_IS_ACTIVE = "navigator.serviceWorker.getRegistration().then(found => found?.active?.state === 'activated')"


@pytest.fixture
def new_page(browser: Browser, site: Site) -> Iterator[NewPage]:
    """Makes pages: `new_page(size, position=IN_THE_CITY, language="en")`; errors of scripts fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(
        viewport: dict[str, int] = PHONE,
        *,
        position: dict[str, float] | None = None,
        language: str | None = None,
        javascript: bool = True,
        service_workers: str = "block",
        signed_in: str | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            has_touch=viewport["width"] < 600,
            is_mobile=viewport["width"] < 600,
            base_url=site.address,
            java_script_enabled=javascript,
            service_workers=service_workers,  # type: ignore[arg-type]
            locale="en-US",  # Chinese comes from us, not from the browser
            **({"geolocation": position, "permissions": ["geolocation"]} if position else {}),  # type: ignore[arg-type]
        )
        contexts.append(context)
        context.set_default_timeout(90_000)
        if language:
            context.add_cookies([{"name": "django_language", "value": language, "url": site.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
        )
        if signed_in:
            sign_in(page, site, signed_in)
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


def until(page: Page, truth: str, *, seconds: float = 60) -> None:
    """Wait until a script's value holds in the page. Playwright's own wait asks again by `eval`, which pages forbid."""
    end = time.monotonic() + seconds
    while not page.evaluate(truth):
        assert time.monotonic() < end, f"not within {seconds} s: {truth}"
        page.wait_for_timeout(200)


def _codes_sent(site: Site) -> list[str]:
    return re.findall(r'"code": ?"(\d{6})"', "".join(p.read_text("utf-8") for p in site.var.glob("log/*")))


def sign_in_by_code(page: Page, site: Site, phone: str, then: str) -> None:
    """Sign in as everyone does who works outdoors: by a code by text message, here read in the server's log."""
    before = _codes_sent(site)
    page.goto(f"/accounts/login/code/?next={then}")
    page.fill("input[name=phone]", phone)
    follow(page, page.locator("form button.button-primary").first)
    for _attempt in range(300):
        # Whoever signed in before left a code in the log as well: only one that came since is ours.
        if ours := [code for code in _codes_sent(site) if code not in before]:
            break
        time.sleep(0.1)
    else:
        pytest.fail("no code was sent")
    page.fill("input[name=code]", ours[-1])
    page.locator("form button.button-primary").first.click()
    page.wait_for_url(f"**{then}")


def follow(page: Page, element: Locator) -> None:
    """Click what leads to another page and wait until that one stands: a click by itself waits for nothing."""
    with page.expect_navigation():
        element.click()


def sign_in(page: Page, site: Site, username: str) -> None:
    """Sign in with user name and password, as staff do."""
    page.goto("/accounts/login/?next=/desk/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", site.passwords[username])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/desk/")
