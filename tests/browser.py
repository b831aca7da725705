"""A real Chromium without a window, which tells what a page logged and what it asked for."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,1000",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> tuple[str, str]:
    """Return the paths of browser and driver, or skip the test and say what is missing."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    return browser, driver


@contextmanager
def open_browser() -> Iterator[webdriver.Chrome]:
    """Start a browser with a profile of its own; skip where there is none."""
    browser, driver = find_browser()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        started = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield started
        finally:
            started.quit()


def visit(browser: webdriver.Chrome, page: Path) -> None:
    """Open a page from a file, with nothing left in the logs of what was before."""
    browser.get("about:blank")
    console_of(browser), requests_of(browser)
    browser.get(page.as_uri())
    loaded = "return document.readyState === 'complete'"
    WebDriverWait(browser, 20, poll_frequency=0.05).until(lambda _: browser.execute_script(loaded))


def console_of(browser: webdriver.Chrome) -> list[str]:
    """Return what the page logged since the last call, errors of the browser included.

    The log is written behind the page's back: it is complete when it holds a last line of ours.
    """
    last = f"the log ends here: {secrets.token_hex(8)}"
    browser.execute_script("console.info(arguments[0])", last)
    messages: list[str] = []

    def complete(_: webdriver.Chrome) -> bool:
        messages.extend(entry["message"] for entry in browser.get_log("browser"))
        return any(last in message for message in messages)

    WebDriverWait(browser, 20, poll_frequency=0.05).until(complete)
    return [message for message in messages if last not in message]


def requests_of(browser: webdriver.Chrome) -> list[str]:
    """Return what was asked for since the last call, data URIs left out."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    urls = [params["request"]["url"] for params in asked]
    return [url for url in urls if not url.startswith("data:")]
