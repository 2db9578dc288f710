"""docs/images/architecture.svg is drawn from docs/architecture.dot, and readable wherever it is shown."""
import hashlib
import re
import xml.etree.ElementTree

from lab.pages import ROOT

TEXT, PICTURE = ROOT / "docs/architecture.dot", ROOT / "docs/images/architecture.svg"


def test_the_picture_is_drawn_from_its_text():
    assert hashlib.sha256(TEXT.read_bytes()).hexdigest() in PICTURE.read_text().splitlines()[0], "run: scripts/draw"


def test_the_picture_can_be_read_everywhere():
    """It is narrow enough, white below everything also in dark mode, and loads nothing."""
    text = PICTURE.read_text()
    root = xml.etree.ElementTree.fromstring(text)
    _, _, width, height = [float(number) for number in root.get("viewBox").split()]
    assert float(root.get("width")) <= 900 and float(root.get("height")) <= 900
    background = next(root.iter("{http://www.w3.org/2000/svg}polygon"))
    points = [point.split(",") for point in background.get("points").split()]
    across, down = [float(x) for x, _ in points], [float(y) for _, y in points]
    assert background.get("fill") == "white"
    assert max(across) - min(across) >= width and max(down) - min(down) >= height
    assert not re.search(r"href=|url\(|@import|<image|<script|<style", text)
    for font in re.findall(r'font-family="([^"]+)"', text):
        assert font.endswith(("sans-serif", "monospace"))
    assert min(float(size) for size in re.findall(r'font-size="([\d.]+)"', text)) >= 12
