#!/usr/bin/env python3
"""The HTML pages as a browser shows them: test_pages.py SAMPLE_PAGES."""

import base64
import hashlib
import pathlib
import re
import unittest

from page_test import INK, TABLE, PageTest, run_tests

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = TOP / "scripts/page"
TEMPLATE = TOP / "sim/report/page/template.html"

FILTER = """
for (const [id, value] of Object.entries(arguments[0])) {
  const element = document.getElementById(id);
  element.value = value;
  element.dispatchEvent(new Event(id === 'filter' ? 'input' : 'change'));
}
return {
  shown: document.querySelector('output').textContent,
  sections: [...document.querySelectorAll('section')].filter(e => !e.hidden).map(e => e.id),
  rows: [...document.querySelectorAll('section:not([hidden]) tbody th')].map(e => e.textContent),
};
"""

class TemplateTest(unittest.TestCase):
    """The committed template is what scripts/page/build makes of the sources beside it."""

    @classmethod
    def setUpClass(cls):
        cls.text = TEMPLATE.read_text(encoding="utf-8")
        cls.sources, cls.template = re.search(r"sources sha256 (\w{64}), template sha256 (\w{64})",
                                              cls.text).groups()

    def test_sources(self):
        files = [path for path in (PAGE / "src").rglob("*") if path.is_file()]
        files += [PAGE / name for name in ("build", "bundle.js", "package.json", "package-lock.json")]
        names = sorted(path.relative_to(PAGE).as_posix() for path in files)
        text = "".join(f"{name}\n{(PAGE / name).read_text(encoding='utf-8')}" for name in names)
        self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), self.sources,
                         "scripts/page has changed: run scripts/page/build")

    def test_template(self):
        text = self.text.replace(self.template, "@TEMPLATE@").removesuffix("\n")
        self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), self.template,
                         "the template was edited by hand: run scripts/page/build")

    def test_lock_names_no_registry_but_the_public_one(self):
        lock = (PAGE / "package-lock.json").read_text(encoding="utf-8")
        for address in re.findall(r'"resolved": "([^"]*)"', lock):
            self.assertTrue(address.startswith("https://registry.npmjs.org/"), address)


class ValidationPageTest(PageTest):
    def test_every_chart_draws_in_both_schemes(self):
        for scheme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 29)")):
            with self.subTest(scheme):
                self.browser.scheme(scheme)
                self.open("validation.html")
                self.assert_draws(charts=8, at_least=10)
                self.assertEqual(self.browser.run("return getComputedStyle(document.body).backgroundColor"),
                                 background)

    def test_a_point_for_every_row(self):
        self.open("validation.html")
        self.assert_draws(charts=8, at_least=10)
        colours = self.browser.run("""
            const style = getComputedStyle(document.documentElement);
            const count = colour => document.querySelectorAll(
              `section:first-of-type .chart:first-child path[fill="${style.getPropertyValue(colour)}"]`).length;
            return count('--accent') + count('--warning');""")
        # Beside the 60 points the two marks of the legend.
        self.assertEqual(colours, 60 + 2)

    def test_tables(self):
        self.open("validation.html")
        head, *suites = self.browser.run(TABLE, "main table")
        self.assertEqual(head[:5], ["suite", "verdict", "quantity", "rows", "mean error"])
        self.assertEqual([row[0] for row in suites], ["accelerator-rtl-cycles", "accelerator-dram-bytes",
                                                      "published-power", "dram-latency"])
        self.assertEqual(suites[0][1:4], ["✓ holds", "cycles", "60"])
        self.assertEqual(suites[1][1], "✗ failed rows")
        rows = self.browser.run(TABLE, "#suite-accelerator-dram-bytes table")
        self.assertEqual(rows[0], ["row", "reference [bytes]", "predicted [bytes]", "error"])
        self.assertEqual(rows[8][2:], ["–", "failed: configs/npu/example.yaml:4:3: sram: too small for the network"])
        self.assertEqual(rows[6][2:], ["0", "−100.00\u00a0%"])

    def test_links_lead_to_the_suites(self):
        self.open("validation.html")
        missing = self.browser.run("""
            return [...document.querySelectorAll('main a')].filter(
              a => !document.getElementById(decodeURIComponent(a.hash.slice(1)))).map(a => a.hash);""")
        self.assertEqual(missing, [])

    def test_filter(self):
        self.open("validation.html")
        self.assertEqual(self.browser.run(FILTER, {"filter": "conv_1 power"}),
                         {"shown": "1 of 2,197 rows", "sections": ["suite-published-power"], "rows": ["net1/conv_1 3x3"]})
        found = self.browser.run(FILTER, {"filter": "NET5/"})
        self.assertEqual(len(found["sections"]), 3)
        self.assertTrue(all(row.startswith("net5/") for row in found["rows"]))
        self.assertEqual(self.browser.run(FILTER, {"filter": "", "range": "failed"})["rows"], ["net0/conv_7 3x3"])
        self.assertEqual(self.browser.run(FILTER, {"filter": "no such row", "range": "all"})["sections"], [])
        self.assertEqual(self.browser.run(FILTER, {"filter": ""})["shown"], "2,197 rows")
        self.assert_draws(charts=8, at_least=10)

    def test_sorting_and_all_rows(self):
        self.open("validation.html")
        names = self.browser.run("""
            const section = document.querySelector('#suite-accelerator-rtl-cycles');
            const values = () => [...section.querySelectorAll('tbody tr')].map(row => parseFloat(row.children[1].textContent.replaceAll(',', '')));
            const before = values().length;
            section.querySelector('.more').click();
            const button = section.querySelectorAll('thead button')[1];
            button.click();
            const down = values();
            button.click();
            return [before, down, values(), section.querySelector('.more').hidden];""")
        before, down, up, hidden = names
        self.assertEqual((before, len(down), hidden), (25, 60, True))
        self.assertEqual(down, sorted(down, reverse=True))
        self.assertEqual(up, sorted(down))

    def test_no_text_becomes_markup(self):
        self.open("hostile.html")
        self.assert_draws(charts=2, at_least=10)
        self.browser.run("document.querySelectorAll('tbody tr').forEach("
                         "row => row.dispatchEvent(new PointerEvent('pointerenter', {pointerType: 'mouse'})))")
        script = "</script><script>window.hostile = 1</script>"
        image = "<img src=x onerror='window.hostile = 1'>"
        rows = self.browser.run(TABLE, "section table")
        self.assertEqual([row[0] for row in rows[1:4]], [script, image, "\ufffd\ufffd \"quoted\" \\u003c & &amp; '@DATA@'"])
        self.assertEqual(rows[4][3], f"failed: {image}")
        self.assertEqual(self.browser.run("return document.querySelector('h2').firstChild.textContent"), script)
        self.assertEqual(self.browser.run("return [typeof window.hostile, document.images.length, document.scripts.length]"),
                         ["undefined", 0, 2])
        self.assertEqual(self.browser.console(), [])

    def test_tooltip_is_text(self):
        self.open("hostile.html")
        self.browser.run(INK)
        x, y = self.browser.run("""
            const chart = document.querySelector('.chart');
            chart.scrollIntoView();
            const colour = getComputedStyle(document.documentElement).getPropertyValue('--accent');
            const box = [...chart.querySelectorAll(`path[fill="${colour}"]`)].map(e => e.getBoundingClientRect())[0];
            return [box.x + box.width / 2, box.y + box.height / 2];""")
        self.browser.devtools("Input.dispatchMouseEvent", type="mouseMoved", x=x - 1, y=y)
        self.browser.devtools("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.browser.run(INK)
        text = self.browser.run("return document.querySelector('.chart strong').parentElement.textContent")
        self.assertTrue(text.startswith("</script><script>window.hostile = 1</script>reference28 <b>unit</b>"), text)
        self.assertEqual(self.browser.console(), [])

    def test_phone_needs_no_sideways_scrolling(self):
        self.browser.size(390, 844)
        for name in ("validation.html", "hostile.html"):
            self.open(name)
            self.browser.run(INK)
            self.assertEqual(self.browser.run("return document.documentElement.scrollWidth"), 390)

    def test_prints_on_white(self):
        self.browser.scheme("dark")
        self.open("validation.html")
        self.browser.run(INK)
        self.browser.run("window.colours = []; addEventListener('beforeprint', () => window.colours.push("
                         "getComputedStyle(document.body).backgroundColor))")
        pdf = base64.b64decode(self.browser.devtools("Page.printToPDF")["data"])
        self.assertEqual(pdf[:5], b"%PDF-")
        self.assertEqual(self.browser.run("return window.colours"), ["rgb(255, 255, 255)"])
        self.assert_draws(charts=8, at_least=10)

    def test_empty_and_unknown_pages_say_so(self):
        self.open("empty.html")
        self.assertEqual(self.browser.run("return document.querySelector('main').textContent"), "No suites.")
        self.assertEqual(self.browser.console(), [])
        self.open("unknown.html")
        self.assertEqual(self.browser.run("return document.querySelector('.page-error').textContent"),
                         'This page cannot be shown: no view for pages of kind "toString"')


if __name__ == "__main__":
    run_tests()
