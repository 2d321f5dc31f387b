"""What the tests of the HTML pages share: the samples in one browser, what charts have drawn."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from browser import Browser

# What a chart has drawn: marks of an SVG, or painted pixels of a canvas.
INK = """
return new Promise(resolve => requestAnimationFrame(() => setTimeout(() => resolve(
  [...document.querySelectorAll('.chart')].filter(e => e.clientWidth > 0).map(chart => {
    const svg = chart.querySelector('svg');
    if (svg) return svg.querySelectorAll('path').length;
    const canvas = chart.querySelector('canvas');
    if (!canvas) return 0;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
    let painted = 0;
    for (let i = 3; i < pixels.length; i += 4) painted += pixels[i] > 0;
    return painted;
  })), 100)));
"""
# Cells of all tables that a selector finds, row by row.
TABLE = """
return [...document.querySelector(arguments[0]).querySelectorAll('tr')].map(
  row => [...row.children].map(cell => cell.textContent));
"""


class PageTest(unittest.TestCase):
    """Opens pages that sample_pages wrote, from the file system."""

    sample_pages = ""  # Set by run_tests.

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        subprocess.run([cls.sample_pages, temporary.name], check=True, timeout=60, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.scheme("light")
        self.browser.size(1200, 900)

    def open(self, name):
        self.browser.console()
        self.browser.open(self.folder / name)

    def assert_draws(self, charts, at_least):
        ink = self.browser.run(INK)
        self.assertEqual(len(ink), charts)
        self.assertGreater(min(ink), at_least)
        self.assertEqual(self.browser.console(), [])


def run_tests():
    PageTest.sample_pages = sys.argv.pop(1)
    unittest.main(module="__main__")
