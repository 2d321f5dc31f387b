#!/usr/bin/env python3
"""The pages of runs and sweeps as a browser shows them: test_report_pages.py SAMPLE_PAGES."""

from page_test import INK, TABLE, PageTest, run_tests

# A run with all its parts has one chart of units, layers, roofline, timeline, energy by component, class and layer, two of
# memory, power, accuracy, and two of the critical path.
RUN_CHARTS = 13
BARE_CHARTS = 7
FILTER = """
const input = document.getElementById('filter');
input.value = arguments[0];
input.dispatchEvent(new Event('input'));
return document.querySelector('output[for~="filter"]').textContent;
"""
# Data items of the series of a chart, by id.
SERIES = """
const chart = [...document.querySelectorAll('.chart')].find(e => e.getAttribute('aria-label').startsWith(arguments[0])).chart;
return Object.fromEntries(chart.options().series.map(s => [s.id, s.data.filter(d => d !== null).length]));
"""
ZOOM = """
const chart = [...document.querySelectorAll('.chart')].find(e => e.getAttribute('aria-label').startsWith(arguments[0])).chart;
if (arguments.length > 1) chart.dispatch({type: 'dataZoom', start: arguments[1], end: arguments[2]});
const {start, end} = chart.options().dataZoom[0];
return [start, end];
"""
SET = """
const element = document.getElementById(arguments[0]);
if (element.type === 'checkbox') element.checked = arguments[1]; else element.value = arguments[1];
element.dispatchEvent(new Event('change'));
"""
OVERFLOW = "return document.documentElement.scrollWidth - innerWidth"
HOSTILE = "</script><img src=x onerror='window.hostile = 1'>"


class RunPageTest(PageTest):
    def series(self, chart):
        return self.browser.run(SERIES, chart)

    def test_every_chart_draws_in_both_schemes(self):
        for scheme in ("light", "dark"):
            with self.subTest(scheme):
                self.browser.scheme(scheme)
                self.open("run.html")
                self.assert_draws(charts=RUN_CHARTS, at_least=4)

    def test_needs_no_network(self):
        self.browser.devtools("Network.enable")
        self.browser.devtools("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0,
                              uploadThroughput=0)
        self.open("run.html")
        self.assert_draws(charts=RUN_CHARTS, at_least=4)
        self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').length"), 0)
        self.browser.devtools("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1,
                              uploadThroughput=-1)

    def test_sections_in_order(self):
        self.open("run.html")
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('main section')].map(e => e.id)"),
                         ["summary", "layers", "roofline", "timeline", "energy", "memory", "power", "accuracy", "path",
                          "configuration"])
        missing = self.browser.run("return [...document.querySelectorAll('nav a')].filter("
                                   "a => !document.getElementById(a.hash.slice(1))).length")
        self.assertEqual(missing, 0)
        self.assertIn("On the host: 10\u00a0µs and 10\u00a0nJ per inference, beside the NPU’s. SOFTMAX #9 (40\u00a0B, 10\u00a0µs)",
                      self.browser.run("return document.getElementById('summary').textContent"))
        self.assertIn("0.4 to 0.6 ms at 90 %", self.browser.run("return document.querySelector('.cards').textContent"))

    def test_uncalibrated_and_what_is_absent_are_said(self):
        self.open("bare.html")
        self.assert_draws(charts=BARE_CHARTS, at_least=4)
        self.assertIn("uncalibrated", self.browser.run("return document.querySelector('.cards').textContent"))
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('.absent')].map(e => e.textContent)"),
                         ["no mapping", "The trace has no power over time.", "A timing-only run computes no values.",
                          "no critical path", "no configuration"])

    def test_a_run_without_layers(self):
        self.open("none.html")
        self.assert_draws(charts=1, at_least=4)
        self.assertIn("The program has no layers.", self.browser.run("return document.body.textContent"))

    def test_tables(self):
        self.open("run.html")
        head, *rows = self.browser.run(TABLE, "#layers")
        self.assertEqual(head[:4], ["layer", "cycles", "bound by", "utilization"])
        self.assertEqual(len(rows), 9)
        self.assertEqual(rows[1][:3], ["CONV_2D #1", "1,000", "dram"])
        self.assertEqual(rows[0][-2:], ["exact", "0"])
        self.assertEqual(rows[1][-2], "39.00")
        ledger = self.browser.run(TABLE, "#energy")
        self.assertEqual(ledger[1], ["mac_array", "mac_int8", "1,000", "0.2", "9", "66.7\u00a0%", "derived", "a paper"])

    def test_a_point_for_every_layer_with_traffic(self):
        self.open("run.html")
        self.browser.run(INK)
        points = {name: count for name, count in self.series("Roofline").items() if name.startswith("points-")}
        self.assertEqual(sum(points.values()), 6)
        self.assertIn("3 layers without", self.browser.run("return document.querySelector('#roofline').textContent"))

    def test_filter_thins_out_every_chart_of_layers(self):
        self.open("run.html")
        self.browser.run(INK)
        before = self.series("Timeline")
        self.assertEqual(before["track-0"], 60)
        self.assertEqual(self.browser.run(FILTER, "conv #1"), "1 of 9 layers")
        self.assertEqual(sum(c for n, c in self.series("Roofline").items() if n.startswith("points-")), 1)
        self.assertEqual(self.series("Energy of each layer"), {"s-0": 1, "s-1": 1})
        timeline = self.series("Timeline")
        self.assertTrue(0 < timeline["track-0"] < 10, timeline)
        self.assertEqual(timeline["layers"], 9)
        self.assertEqual(len(self.browser.run(TABLE, "#layers")), 2)
        self.assertEqual(self.browser.run(FILTER, "no such layer"), "0 of 9 layers")
        self.assertEqual(self.series("Timeline")["track-0"], 0)
        self.assertEqual(self.browser.run(FILTER, ""), "9 layers")
        self.assertEqual(self.series("Timeline"), before)
        self.assert_draws(charts=RUN_CHARTS, at_least=4)

    def test_timeline_zooms(self):
        self.open("run.html")
        self.browser.run(INK)
        self.assertEqual(self.browser.run(ZOOM, "Timeline"), [0, 100])
        text = "return document.querySelector('.range').textContent"
        self.assertEqual(self.browser.run(text), "0 µs to 11.25 µs")
        self.assertEqual(self.browser.run(ZOOM, "Timeline", 20, 40), [20, 40])
        self.assertEqual(self.browser.run(text), "2.25 µs to 4.5 µs")
        self.browser.run("document.querySelector('[aria-label=\"zoom in\"]').click()")
        self.assertEqual(self.browser.run(ZOOM, "Timeline"), [25, 35])
        self.browser.run("document.querySelector('[aria-label=\"later\"]').click()")
        self.assertEqual(self.browser.run(ZOOM, "Timeline"), [30, 40])
        self.browser.run("document.querySelector('[aria-label=\"the whole inference\"]').click()")
        self.assertEqual(self.browser.run(ZOOM, "Timeline"), [0, 100])
        self.assert_draws(charts=RUN_CHARTS, at_least=4)

    def test_a_layer_of_the_table_zooms_the_timeline(self):
        self.open("run.html")
        self.browser.run(INK)
        self.browser.run("document.querySelectorAll('#layers .link')[4].click()")
        start, end = self.browser.run(ZOOM, "Timeline")
        # Layer 4 of 9, with a tenth of its length at each end.
        self.assertAlmostEqual(start, 100 / 9 * 3.9, places=3)
        self.assertAlmostEqual(end, 100 / 9 * 5.1, places=3)

    def test_legend_hides_an_engine(self):
        self.open("run.html")
        self.browser.run(INK)
        ink = "return document.querySelectorAll('#timeline .chart svg path').length"
        before = self.browser.run(ink)
        self.browser.run("document.querySelector('#timeline .chart').chart.dispatch({type: 'legendUnSelect', name: 'dma0'})")
        self.browser.run(INK)
        self.assertLess(self.browser.run(ink), before - 40)

    def test_a_large_trace_is_merged_and_says_so(self):
        self.open("large.html")
        self.assert_draws(charts=RUN_CHARTS, at_least=4)
        bars = sum(count for name, count in self.series("Timeline").items() if name.startswith("track-"))
        self.assertTrue(1000 < bars <= 24000, bars)
        text = self.browser.run("return document.querySelector('#timeline p').textContent")
        self.assertRegex(text, r"The trace has 160,000 spans; neighbours of one layer within \d+ cycles are one bar each")
        self.assertLess((self.folder / "large.html").stat().st_size, 3_000_000)

    def test_tooltip_of_a_bar(self):
        self.open("run.html")
        self.browser.run(INK)
        self.browser.run("document.querySelector('#timeline .chart').scrollIntoView({block: 'center'})")
        self.browser.run("document.querySelector('#timeline .chart').chart.dispatch("
                         "{type: 'showTip', seriesIndex: 1, dataIndex: 7})")
        text = self.browser.run("return document.querySelector('#timeline .chart strong').parentElement.textContent")
        self.assertIn("mac.conv", text)
        self.assertIn("layerCONV_2D #1", text)
        self.assertIn("instruction7", text)

    def test_no_sideways_scrolling(self):
        for width in (1280, 800, 390):
            self.browser.size(width, 900)
            for name in ("run.html", "runs.html", "sweep.html", "hostile_run.html", "hostile_runs.html", "hostile_sweep.html"):
                with self.subTest(name=name, width=width):
                    self.open(name)
                    self.browser.run(INK)
                    self.assertLessEqual(self.browser.run(OVERFLOW), 0)

    def test_no_text_becomes_markup(self):
        for name in ("hostile_run.html", "hostile_runs.html", "hostile_sweep.html"):
            with self.subTest(name):
                self.open(name)
                self.browser.run(INK)
                self.assertIn(HOSTILE, self.browser.run("return document.querySelector('main').textContent"))
                self.browser.run("for (const e of document.querySelectorAll('.chart')) for (let s = 0; s < 3; s += 1)"
                                 " e.chart.dispatch({type: 'showTip', seriesIndex: s, dataIndex: 0})")
                self.browser.run(INK)
                self.assertEqual(self.browser.run("return [typeof window.hostile, document.images.length, document.scripts.length]"),
                                 ["undefined", 0, 2])
                self.assertEqual(self.browser.console(), [])

    def test_prints(self):
        self.open("run.html")
        self.browser.run(INK)
        self.assertGreater(len(self.browser.devtools("Page.printToPDF")["data"]), 10_000)
        self.assert_draws(charts=RUN_CHARTS, at_least=4)

    def test_picture_shows_charts_and_its_height(self):
        self.browser.open_address((self.folder / "run.html").as_uri() + "#picture")
        self.browser.run("return new Promise(resolve => setTimeout(resolve, 700))")
        shown = self.browser.run("return [document.querySelectorAll('.table, .bar').length > 0,"
                                 " [...document.querySelectorAll('.table, .bar')].some(e => e.offsetHeight > 0),"
                                 " Number(document.documentElement.dataset.height)]")
        self.assertEqual(shown[:2], [True, False])
        self.assertGreater(shown[2], 2000)


class RunsPageTest(PageTest):
    def test_compares_and_shows_the_chosen_run(self):
        self.open("runs.html")
        self.assert_draws(charts=3 + RUN_CHARTS, at_least=4)
        rows = self.browser.run(TABLE, "#comparison")
        self.assertEqual([row[0].split("net")[0] for row in rows[1:]], ["first", "second", "third"])
        self.assertEqual(self.browser.run(SERIES, "Time of each layer"), {"run-0": 9, "run-1": 4, "run-2": 3})
        self.browser.run("const e = document.getElementById('run'); e.selectedIndex = 2; e.dispatchEvent(new Event('change'))")
        self.assert_draws(charts=3 + BARE_CHARTS, at_least=4)
        self.assertEqual(len(self.browser.run(TABLE, "#layers")), 4)
        self.browser.run("document.querySelectorAll('#comparison .link')[1].click()")
        self.assert_draws(charts=3 + RUN_CHARTS, at_least=4)
        self.assertEqual(self.browser.run("return document.getElementById('run').selectedIndex"), 1)
        self.assertEqual(self.browser.run(FILTER, "#1"), "1 of 4 layers")

    def test_figure_of_choice(self):
        self.open("runs.html")
        self.browser.run(INK)
        names = self.browser.run("return [...document.getElementById('figure').options].map((o) => o.text)")
        self.assertIn("efficiency", names)
        self.assertTrue(all(names), names)
        self.browser.run(SET, "figure", "tops_per_w")
        axis = self.browser.run("return document.querySelectorAll('#comparison .chart')[0].chart.options().xAxis[0].name")
        self.assertEqual(axis, "efficiency [TOPS/W]")


class SweepPageTest(PageTest):
    def points(self):
        series = self.browser.run(SERIES, "Points of the sweep")
        return sum(count for name, count in series.items() if name.startswith("group-"))

    def lines(self):
        return self.browser.run(SERIES, "Parallel")

    def shown(self):
        return self.browser.run("return document.querySelector('output[for~=filter]').textContent")

    def test_every_chart_draws_in_both_schemes(self):
        for scheme in ("light", "dark"):
            with self.subTest(scheme):
                self.browser.scheme(scheme)
                self.open("sweep.html")
                self.assert_draws(charts=3, at_least=10)
                self.assertEqual(self.points(), 44)
                self.assertEqual(self.lines(), {"others": 39, "front": 5})

    def test_failed_points_with_their_errors(self):
        self.open("sweep.html")
        rows = self.browser.run(TABLE, "#failed")
        self.assertEqual(len(rows), 5)
        self.assertEqual(rows[1][-1], "scratchpad: too small for CONV_2D #3")
        self.assertIn("48 points, 4 failed, 5 on the front of Latency and Energy",
                      self.browser.run("return document.getElementById('front').textContent"))

    def test_filters(self):
        self.open("sweep.html")
        self.browser.run(INK)
        self.assertEqual(self.browser.run(FILTER, "mac_array.rows=8 resnet18"), "6 of 44 points")
        self.assertEqual(self.points(), 6)
        self.assertEqual(sum(self.lines().values()), 6)
        self.assertEqual(len(self.browser.run(TABLE, "#points")), 7)
        self.browser.run(FILTER, "")
        self.browser.run(SET, "model", "mobilenet_v2")
        self.assertEqual((self.shown(), self.points()), ("22 of 44 points", 22))
        self.browser.run(SET, "only-front", True)
        self.assertEqual((self.shown(), self.points()), ("1 of 44 points", 1))

    def test_brushing_an_axis_filters(self):
        self.open("sweep.html")
        self.browser.run(INK)
        # The first axis is mac_array.rows with the places 8, 16, 32, 64.
        self.browser.run("[...document.querySelectorAll('.chart')].find(e => e.getAttribute('aria-label').startsWith('Parallel')).chart"
                         ".dispatch({type: 'axisAreaSelect', parallelAxisIndex: 0, intervals: [[0.5, 3.5]]})")
        self.browser.run(INK)
        # Without the twelve points of 8 rows.
        self.assertEqual((self.shown(), self.points()), ("32 of 44 points", 32))
        self.browser.run("document.getElementById('unbrush').click()")
        self.assertEqual((self.shown(), self.points()), ("44 points", 44))
        # By hand: the upper half of the axis, 50 pixels from the left of the chart, from 62 pixels below its top on.
        x, top, height = self.browser.run("""
            const chart = [...document.querySelectorAll('.chart')].find(e => e.getAttribute('aria-label').startsWith('Parallel'));
            chart.scrollIntoView({block: 'center'});
            const box = chart.getBoundingClientRect();
            return [box.x + 50, box.y + 62, box.height - 78];""")
        for kind, share in (("mouseMoved", 0.02), ("mousePressed", 0.02), ("mouseMoved", 0.3), ("mouseMoved", 0.48), ("mouseReleased", 0.48)):
            self.browser.devtools("Input.dispatchMouseEvent", type=kind, x=x, y=top + share * height, button="left",
                                  buttons=0 if kind == "mouseReleased" else 1, clickCount=1)
        self.browser.run(INK)
        self.assertEqual((self.shown(), self.points()), ("20 of 44 points", 20))
        self.assertEqual(self.browser.console(), [])

    def test_axes_of_choice(self):
        self.open("sweep.html")
        self.browser.run(INK)
        self.browser.run(SET, "axis-x", "mac_array.rows")
        self.browser.run(SET, "colour", "bound_by")
        options = ("const c = document.querySelector('.chart').chart.options();"
                   "return [c.xAxis[0].name, c.series.filter(s => s.id.startsWith('group-')).map(s => s.name).sort()]")
        self.assertEqual(self.browser.run(options), ["mac_array.rows", ["dram", "mac_array"]])
        self.assert_draws(charts=3, at_least=10)

    def test_front_of_the_axes(self):
        self.open("sweep.html")
        self.browser.run(INK)
        front = self.browser.run("return document.querySelector('.chart').chart.options().series.find(s => s.id === 'front-0').data")
        self.assertEqual(front, sorted(front))
        self.assertEqual([y for _, y in front], sorted((y for _, y in front), reverse=True))
        self.assertGreaterEqual(len(front), 3)


if __name__ == "__main__":
    run_tests()
