"""The status page in a real browser, served by a real agent on a real containerd."""
import os
import pathlib
import urllib.parse

import pytest

from lab.cell import wait_until

EXPLAINED = "/image?name=registry.example/shop/api:v3"
LOOKS = {"light": {}, "dark": {"dark": True}, "phone": {"width": 360, "height": 740}}
PICTURES = {("/", "light"): "status-light.png", ("/", "dark"): "status-dark.png", ("/", "phone"): "status-phone.png",
            (EXPLAINED, "light"): "image-light.png"}
ROWS = "#images tbody tr"


@pytest.fixture
def pictures(tmp_path):
    """The directory of screenshots. `make screenshots` sets docs/images."""
    directory = pathlib.Path(os.environ.get("IMAGESWEEP_SCREENSHOTS") or tmp_path)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(autouse=True)
def spotless(site, browser, monkeypatch):
    """Checks each page of each test: no console output, and only the agent's address."""
    opened, real = [], browser.page

    def page(**settings):
        opened.append(real(**settings))
        return opened[-1]
    monkeypatch.setattr(browser, "page", page)
    yield
    assert opened
    for one in opened:
        assert not one.complaints
        outside = [url for url in one.requests if not url.startswith((site.agent.url, "data:"))]
        assert one.requests and not outside


def rows(page):
    return [[cell.strip() for cell in row.split("\n")] for row in page.run(
        f"[...document.querySelectorAll('{ROWS}')].map(r => [...r.cells].map(c => c.textContent.trim()).join('\\n'))")]


def ids(page):
    return page.run(f"[...document.querySelectorAll('{ROWS} a')].map(a => new URL(a.href).searchParams.get('id'))")


@pytest.mark.parametrize("path", ["/", EXPLAINED, "/image?name=registry.example/shop/old-6:v6",
                                  "/image?name=nothing"])
@pytest.mark.parametrize("look", LOOKS)
def test_is_accessible_and_fits_the_screen(site, browser, pictures, look, path):
    with browser.page(**LOOKS[look]) as page:
        page.open(site.agent.url + path)
        if "nothing" in path:
            page.complaints.clear()  # Chromium reports the 404
        page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert [one for one in page.violations() if one[0] in ("serious", "critical")] == []
        wide = page.run("""[...document.querySelectorAll('body *')]
                           .filter(e => e.getBoundingClientRect().right > screen.width)
                           .map(e => e.outerHTML.slice(0, 120))""")
        width = LOOKS[look].get("width", 1280)
        assert page.run("document.documentElement.scrollWidth") <= width, f"it scrolls sideways: {wide}"
        back = page.run("getComputedStyle(document.body).backgroundColor")
        assert (back == "rgb(18, 22, 28)") == (look == "dark"), back
        page.run("document.querySelectorAll('details').forEach(d => d.open = false)")
        if (path, look) in PICTURES:
            picture = pictures / PICTURES[path, look]
            page.screenshot(picture, whole=look != "phone")
            assert picture.stat().st_size > 10_000


def test_shows_every_image_of_the_node_with_its_verdict(site, browser):
    listed = {image["id"].split(":")[1][:12]: image for image in site.agent.json("/api/v1/images")["images"]}
    with browser.page() as page:
        page.open(site.agent.url)
        shown = dict(zip(ids(page), rows(page)))
        assert shown.keys() == listed.keys() and len(shown) == 11
        for number, image in listed.items():
            assert shown[number][0].split(" +")[0] in image["names"]
            assert shown[number][1:4] == [image["verdict"], image["code"], image["reason"]]
        verdicts = [row[1] for row in rows(page)]
        assert verdicts == sorted(verdicts, key=["Remove", "Defer", "Keep"].index)
        assert (verdicts.count("Remove"), verdicts.count("Defer")) == (2, 4)
        assert "Pod kube-system/proxy/c0" in " ".join(page.texts("#protected li"))
        assert len(page.texts("#plan tbody tr")) == 2
        assert "Removed" in page.texts("#plan tbody td")[4]
        assert page.texts("#disk svg + p")[0].startswith("Bytes: ")
        assert "→" in page.texts("#runs tbody tr")[0]
        sources = {"runtime", "policy", "last-run", "pods", "containers", "images", "disk"}
        assert set(page.texts("#sources tr td:first-child")) == sources
        assert "failed" not in page.texts("#sources tr td:nth-child(2)")
        assert "maximumAge: 1s" in page.texts("#policy pre")[0]


def test_search_is_live_and_by_keyboard_alone(site, browser):
    with browser.page() as page:
        page.open(site.agent.url)
        everything = len(rows(page))
        for _ in range(30):
            page.tab()
            if page.run("document.activeElement.name") == "q":
                break
        assert page.run("document.activeElement.name") == "q", "the tab key does not lead to the search"
        page.type("old- defer")
        assert wait_until(lambda: len(rows(page)) == 4, 10), rows(page)
        assert all(row[1] == "Defer" for row in rows(page))
        assert page.texts("#count")[0].startswith(f"4 of {everything} images")
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(page.run("location.href")).query)
        assert query["q"] == ["old- defer"], "the address can be kept and sent"
        assert page.run("document.activeElement.name") == "q", "typing goes on where it was"


@pytest.mark.parametrize("search, found", [("shop/api", 1), ("kube-system/proxy", 1), ("maximumAge 1s", 6),
                                           ("no such thing", 0)])
def test_search_finds_by_image_pod_and_reason(site, browser, search, found):
    with browser.page() as page:
        page.open(f"{site.agent.url}/?{urllib.parse.urlencode({'q': search})}")
        assert len(rows(page)) == found, rows(page)


def test_sorts_by_a_click_or_the_enter_key_and_turns_the_order(site, browser):
    sizes = {image["id"].split(":")[1][:12]: image["sizeBytes"] for image in site.agent.json("/api/v1/images")["images"]}

    def order(page):
        return [sizes[number] for number in ids(page)]
    up, down = sorted(sizes.values()), sorted(sizes.values(), reverse=True)
    with browser.page() as page:
        page.open(site.agent.url)
        assert order(page) not in (up, down)
        page.run("document.getElementById('by-size').click()")
        assert wait_until(lambda: order(page) == up, 10)
        assert page.run("document.activeElement.id") == "by-size", "the keyboard stays where it was"
        assert page.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "ascending"
        page.enter()
        assert wait_until(lambda: order(page) == down, 10)
        assert page.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
        assert page.run("document.querySelector('[name=sort]').value") == "size"


def test_works_without_scripts(site, browser):
    with browser.page(scripts=False) as page:
        page.open(f"{site.agent.url}/?verdict=Keep")
        all_kept = rows(page)
        assert {row[1] for row in all_kept} == {"Keep"}
        page.run("document.querySelector('[name=q]').focus()")
        page.type("shop/web")
        page.loads(page.enter)
        assert [row[0] for row in rows(page)] == ["registry.example/shop/web:stable +1"] \
            or [row[0] for row in rows(page)] == ["registry.example/shop/web:v7 +1"]
        page.run("document.getElementById('by-name').focus()")
        page.loads(page.enter)
        assert page.run("document.querySelector('[aria-sort]').textContent").startswith("Image")


def test_explains_one_image(site, browser):
    with browser.page() as page:
        page.open(f"{site.agent.url}/?q=shop/api")
        page.loads(lambda: page.run(f"document.querySelector('{ROWS} a').click()"))
        assert page.texts("h1") == ["registry.example/shop/api:v3"]
        assert page.texts("h2")[0] == "Keep (InUse)"
        assert page.texts("li.decides")[0].startswith("InUse: decides.")
        assert "Pod shop/api-7d9/c0" in page.texts("main")[0]


def test_a_hostile_name_stays_text(site, browser):
    with browser.page() as page:
        page.open(f"{site.agent.url}/?q=shop/web")
        assert "onerror=document.title='owned'>\"'&" in rows(page)[0][3]
        assert page.run("document.title") == "Images of worker-1"
        assert page.run("document.images.length") == 0


def test_foreign_script_does_not_run_even_if_it_were_there(site, browser):
    with browser.page() as page:
        page.open(site.agent.url)
        page.run("""document.body.insertAdjacentHTML('beforeend',
                        '<p id="p" onclick="document.title=1" style="color:red">x</p>');
                    const s = document.createElement('script');
                    s.textContent = 'document.title = 2';
                    document.body.append(s);
                    document.getElementById('p').click()""")
        assert page.run("document.title") == "Images of worker-1"
        blocked = [text for text in page.complaints if "Content Security Policy" in text]
        assert len(blocked) == len(page.complaints) >= 2
        page.complaints.clear()
