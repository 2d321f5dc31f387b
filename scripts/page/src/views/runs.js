// Several runs: their figures side by side, then the sections of the one that is chosen.
// {"runs": […]}, each as the page of one run has it.
import { categoryAxis, chart, grid, legend, toolbox, tooltip, valueAxis, zoom } from '../shared/chart.js';
import { cycleColour } from '../shared/colours.js';
import { definitions, h } from '../shared/dom.js';
import { figure, percent } from '../shared/format.js';
import { stackedBars } from '../shared/plots.js';
import { section } from '../shared/section.js';
import { table } from '../shared/table.js';
import { energyUnit } from './run/energy.js';
import { runSections } from './run/run.js';
import { intervalText, shownFigure } from './run/summary.js';

const BARS_WITHOUT_ZOOM = 24;
// Of the table: they follow from others.
const LEFT_OUT = ['inferences_per_s', 'pj_per_mac'];

const figureOf = (run, key) => run.figures.find((item) => item.key === key);
const titles = (run) => run.figures.filter((item) => item.key !== 'macs_per_inference');

// Beside the first run: how much more or less.
function difference(run, first, key) {
  const [value, base] = [figureOf(run, key).value, figureOf(first, key).value];
  if (run === first || base === 0 || value === base) return null;
  const change = 100 * (value / base - 1);
  const better = (change > 0) === (figureOf(run, key).better === 'more');
  return h('div', { class: `change ${better ? 'better' : 'worse'}` }, percent(change, { digits: 1, sign: true }));
}

function comparisonTable(runs, onRun) {
  const [first] = runs;
  return table({
    caption: 'Figures of all runs',
    columns: [
      {
        title: 'run', value: (r) => r.name,
        cell: (r) => h('div', {}, h('button', { type: 'button', class: 'link', title: 'show this run', onclick: () => onRun(r) }, r.name),
          h('div', { class: 'change' }, `${r.model} on ${r.config}`)),
      },
      ...titles(first).filter(({ key }) => !LEFT_OUT.includes(key)).map(({ key, label }) => ({
        title: label, number: true, value: (r) => figureOf(r, key).value,
        cell: (r) => h('div', {}, shownFigure(figureOf(r, key)), difference(r, first, key)),
      })),
      { title: 'interval', value: (r) => intervalText(r), text: intervalText },
    ],
    rows: runs,
  }).element;
}

function figureChart(runs) {
  let key = 'latency_ms';
  const label = () => {
    const item = figureOf(runs[0], key);
    return item.unit ? `${item.label} [${item.unit}]` : item.label;
  };
  const data = () => runs.map((run, i) => ({ value: figureOf(run, key).value, itemStyle: { color: cycleColour(i) } }));
  const made = chart({
    label: 'One figure of all runs',
    points: runs.length,
    height: runs.length * 32 + 70,
    option: (colours) => ({
      grid: grid({ top: 8, bottom: 4 }),
      xAxis: { ...valueAxis(label(), colours), nameGap: 24 },
      yAxis: categoryAxis(runs.map((run) => run.name), colours, { vertical: true }),
      tooltip: tooltip(colours, ({ dataIndex }) => h('div', {}, h('strong', {}, runs[dataIndex].name),
        definitions(titles(runs[dataIndex]).map((item) => [item.label, shownFigure(item)])))),
      series: [{ id: 'figure', type: 'bar', barMaxWidth: 24, data: data() }],
    }),
  });
  const select = h('select', { id: 'figure', onchange: () => {
    key = select.value;
    made.update({ xAxis: { name: label() }, series: [{ id: 'figure', data: data() }] });
  } }, titles(runs[0]).map((item) => h('option', { value: item.key }, item.label)));
  return h('div', {}, h('p', { class: 'inline' }, h('label', { for: 'figure' }, 'Figure'), select), made.element);
}

function energyChart(runs) {
  const components = [...new Set(runs.flatMap((run) => run.components))];
  const perInference = (run, component) => run.energy.filter((row) => row.component === component).reduce((sum, row) => sum + row.energy_pj, 0) / run.samples;
  const most = Math.max(...runs.map((run) => figureOf(run, 'energy_per_inference_pj').value), 1);
  const [factor, unit] = energyUnit(most);
  return stackedBars({
    label: 'Energy per inference of all runs by component', horizontal: true, unit, axisName: `energy per inference [${unit}]`, names: runs.map((run) => run.name),
    series: components.map((name) => ({ name, values: runs.map((run) => perInference(run, name) / factor) })),
  }).element;
}

function layersChart(runs) {
  const names = [...new Set(runs.flatMap((run) => run.layers.map((layer) => layer.name)))];
  const cycles = (run) => {
    const of = new Map(run.layers.map((layer) => [layer.name, (layer.cycles * run.clock_period_ps) / 1e6]));
    return names.map((name) => of.get(name) ?? null);
  };
  return chart({
    label: 'Time of each layer in all runs',
    points: names.length * runs.length,
    height: 360,
    option: (colours) => ({
      grid: grid({ bottom: 30 + (names.length > BARS_WITHOUT_ZOOM ? 26 : 0), left: 30 }),
      xAxis: categoryAxis(names, colours),
      yAxis: { ...valueAxis('time [µs]', colours), nameGap: 44 },
      legend: legend(colours, runs.map((run) => run.name)),
      dataZoom: names.length > BARS_WITHOUT_ZOOM ? zoom(colours, { bottom: 26 }) : [],
      toolbox: toolbox(colours, 'time by layer'),
      tooltip: tooltip(colours, (items) => h('div', {}, h('strong', {}, items[0].name),
        definitions(items.filter((item) => item.value !== null && item.value !== undefined).map((item) => [item.seriesName, `${figure(Number(item.value.toPrecision(5)))} µs`]))), 'axis'),
      series: runs.map((run, i) => ({ id: `run-${i}`, name: run.name, type: 'bar', barGap: '8%', data: cycles(run), itemStyle: { color: cycleColour(i) } })),
    }),
  }).element;
}

export function runsView({ runs }) {
  const place = h('div', { id: 'run-sections' });
  const select = h('select', { id: 'run', onchange: () => show(runs[select.selectedIndex]) }, runs.map((run) => h('option', {}, run.name)));

  function show(run) {
    for (const element of place.querySelectorAll('.chart')) element.chart.dispose();
    place.replaceChildren(...runSections(run).flat());
    select.selectedIndex = runs.indexOf(run);
  }
  const onRun = (run) => {
    show(run);
    select.scrollIntoView();
  };
  show(runs[0]);

  return [
    section('comparison', 'Comparison',
      h('p', { class: 'muted' }, `${runs.length} runs; percentages are beside the first one. A latency interval stands where the configuration is calibrated.`),
      comparisonTable(runs, onRun), figureChart(runs), h('h3', {}, 'Energy per inference'), energyChart(runs), h('h3', {}, 'Time by layer'), layersChart(runs)),
    h('div', { class: 'chosen' }, h('h2', {}, h('label', { for: 'run' }, 'Run '), select)),
    place,
  ];
}
