"""One real Chromium for all tests of this folder; without one they are skipped, but never where CI is set."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
"""Its names on the systems that have it."""
# Nothing but the page may be asked for: no service of the browser's maker, no statistics of the driver's.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1100,900",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium, driver = next(filter(None, map(shutil.which, CHROMIUM)), None), shutil.which("chromedriver")
    if chromium is None or driver is None:
        if os.environ.get("CI"):  # no assert: its message would show the whole environment
            pytest.fail("CI needs chromium and chromium-driver: .ci/run installs them")
        pytest.skip("no chromium or no chromedriver on this machine")
    started = _start(chromium, driver, tmp_path_factory.mktemp("chromium"))
    yield started
    started.quit()


def _start(chromium: str, driver: str, profile: Path) -> Chrome:
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    downloads = {"download.default_directory": str(profile / "downloads"), "download.prompt_for_download": False}
    options.add_experimental_option("prefs", downloads)
    environment = {**os.environ, "SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}
    chrome = Chrome(options, Service(driver, env=environment))
    chrome.set_script_timeout(120)
    return chrome
