"""check.html in a real browser, opened from a disk: the same answers as Python's, shown safely, sent nowhere."""

import json
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from hitl.contract import SKIP
from hitl.pack import batch_csv
from hitl.visible import visible
from tasks.edges.check_page import check_html
from tests.browser.pages import Pack, by_page, by_python, choose, drop, open_page, shown, write_pack

IDS = tuple(f"i{n:02d}" for n in range(30))
HEADER = "item_id,label,annotator_id"
HOSTILE = "\u202e<img src=x onerror=alert(1)></script><script>alert(2)</script>\u2028\x1b[31m"


@pytest.fixture
def one(tmp_path: Path) -> Pack:
    rows = [{"item_id": item, "text": f"</script><!-- {HOSTILE} {item}"} for item in IDS]
    return write_pack(tmp_path / "pack", batch_csv(rows, ["text"], show_prediction=False), annotators=["ann"])


def delivery(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def whole(**changed: str) -> bytes:
    """Every item answered "cat" by ann, but for the rows given by item."""
    return delivery(*(changed.get(item, f"{item},cat,ann") for item in IDS))


def manifest(**promises: object) -> bytes:
    return json.dumps(promises).encode()


AWKWARD = {
    "sound": whole(),
    "nothing": b"",
    "header_only": delivery(),
    "bom": b"\xef\xbb\xbf" + whole(),
    "latin_1": whole(i03="i03,caf\u00e9,ann").decode().encode("latin-1"),
    "late_bad_byte": HEADER.replace("label", "lable").encode() + b"\n" + b"x,y,z\n" * 9000 + b"\xff",
    "utf_16": whole().decode().encode("utf-16"),
    "zip": b"PK\x03\x04" + whole(),
    "web_page": b" <HTML>" + whole(),
    "semicolons": whole().replace(b",", b";"),
    "old_mac": whole().replace(b"\n", b"\r"),
    "mixed_ends": whole().replace(b"\n", b"\r\n", 5),
    "cut": whole()[:-3],
    "cut_after_rows": whole()[:-1],
    "open_quote": whole(i03='i03,"cat,ann'),
    "text_after_quote": whole(i03='i03,"cat"x,ann'),
    "huge_cell": whole(i03=f'i03,"{"x" * 131_073}",ann'),
    "several": whole(i03="i03,Cat,ann", i04="I04,cat,ann", i05="i05,dgo,ann", i06="i06,cat", i07="i07,,ann"),
    "skips": whole(i03=f"i03,{SKIP},ann", i04="i04,,"),
    "twice": whole() + delivery("i03,cat,ann", "i04,dog,ann", header=HEADER),
    "all_wrong": whole().replace(b",cat,", b",lion,"),
    "hostile": delivery(f'i00,"{HOSTILE}",ann', *(f"{item},cat,ann" for item in IDS[1:])),
    "changed_value": delivery("i00,cat,ann,edited", header=f"{HEADER},text"),
    "prototype": delivery("__proto__,cat,ann", "constructor,cat,ann", *(f"{item},cat,ann" for item in IDS)),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_the_page_says_what_python_says(browser: Chrome, one: Pack, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(AWKWARD[name])
    open_page(browser, one.page)

    choose(browser, path)

    assert shown(browser) == by_python(one, path)


@pytest.mark.parametrize("name", ["a b.csv", "answers.xlsx", "answers.csv.gz", "ANSWERS.CSV", ".hidden.csv"])
def test_a_name_counts_as_it_does_for_python(browser: Chrome, one: Pack, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(whole())
    open_page(browser, one.page)

    choose(browser, path)

    assert shown(browser) == by_python(one, path)


@pytest.mark.parametrize(
    "promises",
    [
        manifest(rows=30, batch_id="r0001"),
        manifest(rows=29),
        manifest(rows=30.0),
        manifest(batch_id="r0002"),
        manifest(file_sha256="0" * 64),
        b'{"rows": 30, "rows": 30}',
        b"[" * 30_000,
        b" " * 70_000 + b"{}",
        b"",
    ],
)
def test_a_manifest_is_read_with_its_file(browser: Chrome, one: Pack, tmp_path: Path, promises: bytes) -> None:
    path, beside = tmp_path / "answers.csv", tmp_path / "answers.csv.manifest.json"
    path.write_bytes(whole())
    beside.write_bytes(promises)
    open_page(browser, one.page)

    choose(browser, path, beside)

    assert shown(browser) == by_python(one, path)


def test_the_verdict_stands_in_words_and_the_rows_to_fix_can_be_saved(
    browser: Chrome, one: Pack, tmp_path: Path
) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(AWKWARD["several"])
    open_page(browser, one.page)
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})

    text = choose(browser, path)
    browser.find_element(By.ID, "redo").click()
    saved = tmp_path / "answers.redo.csv"
    WebDriverWait(browser, 30, 0.05).until(lambda _: saved.exists() and saved.stat().st_size)

    assert "Some rows need fixing" in text
    assert "25 rows are good" in text
    assert "R_LABEL_CASE" in text
    cells = browser.find_elements(By.CSS_SELECTOR, "tbody tr:first-child > *")
    classes = f"one of: cat, dog, horse, or {SKIP}"
    assert [cell.text.split("\n")[0] for cell in cells] == ["5", "label", "Cat", classes, "cat"]
    assert saved.read_text(encoding="utf-8") == by_python(one, path)["redo"]


def test_what_the_page_cannot_know_stands_on_it(browser: Chrome, one: Pack, tmp_path: Path) -> None:
    open_page(browser, one.page)
    assert "roster" not in browser.find_element(By.TAG_NAME, "main").text

    unknown = write_pack(tmp_path / "other", one.batch)
    open_page(browser, unknown.page)

    text = browser.find_element(By.TAG_NAME, "main").text
    assert "received before" in text
    assert "whose answer is known" in text
    assert "roster" in text
    assert "30 items in the pack" in text


def test_a_text_in_a_file_or_a_pack_is_only_shown(browser: Chrome, one: Pack, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(AWKWARD["hostile"])
    open_page(browser, one.page)

    text = choose(browser, path)

    assert visible(HOSTILE) in text
    assert HOSTILE not in text
    assert not browser.find_elements(By.CSS_SELECTOR, "img, iframe, [onerror]")
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 3


def test_nothing_leaves_the_page_and_nothing_could(browser: Chrome, one: Pack, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(AWKWARD["hostile"])
    browser.get_log("browser")
    open_page(browser, one.page)

    choose(browser, path)

    assert browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    assert browser.get_log("browser") == []
    tried = """
        const done = arguments[0];
        const image = Object.assign(new Image(), {src: "https://example.org/x.png"});
        document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
        document.body.append(image);
    """
    assert browser.execute_async_script(tried) == "img-src"


def test_two_files_or_a_manifest_alone_are_not_checked(browser: Chrome, one: Pack) -> None:
    open_page(browser, one.page)
    assert "one CSV file at a time" in by_page(browser, [("a.csv", b""), ("b.csv", b"")])["error"]
    assert "says nothing alone" in by_page(browser, [("a.csv.manifest.json", b"{}")])["error"]


@pytest.mark.parametrize("is_folder", [False, True])
def test_what_is_dropped_is_judged_like_what_is_chosen(
    browser: Chrome, one: Pack, tmp_path: Path, *, is_folder: bool
) -> None:
    path = tmp_path / "answers.csv"
    if is_folder:
        path.mkdir()
    else:
        path.write_bytes(AWKWARD["several"])
    open_page(browser, one.page)

    drop(browser, path)

    assert shown(browser) == by_python(one, path)


def test_the_keyboard_reaches_the_button_and_from_the_verdict_the_rows_and_the_redo_file(
    browser: Chrome, one: Pack, tmp_path: Path
) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(AWKWARD["several"])
    open_page(browser, one.page)
    assert tabbed(browser).get_attribute("id") == "choose"

    choose(browser, path)

    assert "verdict" in browser.switch_to.active_element.get_attribute("class")
    assert tabbed(browser).get_attribute("aria-label") == "Rows to fix"
    assert tabbed(browser).get_attribute("id") == "redo"


def tabbed(browser: Chrome) -> WebElement:
    """Where the focus is after one more press of the Tab key."""
    for kind in ("keyDown", "keyUp"):
        key = {"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        browser.execute_cdp_cmd("Input.dispatchKeyEvent", key)
    return browser.switch_to.active_element


def test_of_a_pack_too_large_for_a_page_the_ids_alone_are_compared(browser: Chrome, one: Pack, tmp_path: Path) -> None:
    (one.folder / "check.html").write_bytes(check_html(one.manifest, one.batch, most=1_000))
    open_page(browser, one.page)

    found = by_page(browser, [("a.csv", AWKWARD["changed_value"])])

    assert found["verdict"] == "accept"
    assert "does not see a value that was changed" in browser.find_element(By.TAG_NAME, "main").text


def test_a_long_file_leaves_the_page_awake(browser: Chrome, tmp_path: Path) -> None:
    ids = [f"item-{n:06d}" for n in range(100_000)]
    rows = [{"item_id": item, "text": "some words of an item"} for item in ids]
    large = write_pack(tmp_path / "pack", batch_csv(rows, ["text"], show_prediction=False), classes=["cat", "dog"])
    path = tmp_path / "answers.csv"
    path.write_bytes(delivery(*(f"{item},{'catt' if n % 10 == 3 else 'cat'},ann" for n, item in enumerate(ids))))
    open_page(browser, large.page)
    # A timer runs only when the page has time for a person, too.
    browser.execute_script("""
        window.turns = 0;
        setInterval(() => { turns += document.body.getAttribute("aria-busy") === "true"; }, 5);
    """)

    choose(browser, path)

    assert shown(browser) == by_python(large, path)
    assert len(browser.find_elements(By.CSS_SELECTOR, "tbody tr")) == 200
    assert browser.execute_script("return turns") > 10
