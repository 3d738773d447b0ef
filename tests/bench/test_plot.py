"""bench.plot: a picture that says what the table says."""

from xml.etree import ElementTree

from bench.plot import bars

SVG = "{http://www.w3.org/2000/svg}"


def test_a_tenfold_cost_is_one_step_of_the_scale_further() -> None:
    drawn = ElementTree.fromstring(bars("CPU", "µs", [("ours", 90.0), ("<theirs>", 900.0), ("ten", 9000.0)]))
    widths = [float(bar.attrib["width"]) for bar in drawn.iter(f"{SVG}rect")]
    assert round(widths[1] - widths[0], 1) == round(widths[2] - widths[1], 1)
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"ours", "<theirs>", "ten", "90", "900", "9000"} <= set(texts)


def test_nothing_lies_outside_the_picture() -> None:
    drawn = ElementTree.fromstring(bars("CPU", "µs", [("a", 1.0), ("b", 1000.0)]))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    for bar in drawn.iter(f"{SVG}rect"):
        assert 0 <= float(bar.attrib["x"]) <= float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width
        assert 0 <= float(bar.attrib["y"]) + float(bar.attrib["height"]) <= height
