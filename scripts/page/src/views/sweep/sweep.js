// A sweep: {"name", "models", "parameters": [{key, values}], "metrics": [{name, label, unit, better}], "objectives": [name],
// "points": [{id, hash, model, status (done, failed, pending), error, parameters: {key: value}, metrics: {name: number}, bound_by, pareto}],
// "sensitivity": [{parameter, metric, share}]}.
import { h } from '../../shared/dom.js';
import { stackedBars } from '../../shared/plots.js';
import { absent, count, section, wordFilter } from '../../shared/section.js';
import { table } from '../../shared/table.js';
import { parallelPart } from './parallel.js';
import { columnsOf, isDone } from './points.js';
import { scatterPart } from './scatter.js';

const TABLE_ROWS = 50;

// What the words of the filter are looked for in.
const searched = (point, columns) => [
  `point ${point.id}`, point.model, point.status, point.bound_by ?? '', point.error ?? '',
  ...columns.filter((column) => !column.isMetric).map((column) => `${column.key}=${column.of(point)}`),
].join(' ');

function pointsTable(points, columns) {
  return table({
    caption: 'Points',
    columns: [
      { title: 'point', number: true, value: (p) => p.id, text: (p) => String(p.id) },
      { title: 'front', value: (p) => (p.pareto ? 0 : 1), text: (p) => (p.pareto ? '★' : '') },
      { title: 'model', value: (p) => p.model, text: (p) => p.model },
      ...columns.map((column) => ({ title: column.title, number: column.isNumber, value: column.of, text: column.text })),
      { title: 'bound by', value: (p) => p.bound_by, text: (p) => p.bound_by ?? '–' },
    ],
    rows: points,
    limit: TABLE_ROWS,
  });
}

function failedTable(points, columns) {
  const parameters = columns.filter((column) => !column.isMetric);
  return table({
    caption: 'Failed points',
    columns: [
      { title: 'point', number: true, value: (p) => p.id, text: (p) => String(p.id) },
      { title: 'model', value: (p) => p.model, text: (p) => p.model },
      ...parameters.map((column) => ({ title: column.title, number: column.isNumber, value: column.of, text: column.text })),
      { title: 'error', value: (p) => p.error, text: (p) => p.error ?? '–', class: () => 'failure' },
    ],
    rows: points,
    limit: TABLE_ROWS,
  }).element;
}

function sensitivityChart(data) {
  const metrics = data.metrics.filter((metric) => data.sensitivity.some((row) => row.metric === metric.name));
  const parameters = data.parameters.map((parameter) => parameter.key);
  const share = (metric, parameter) => 100 * (data.sensitivity.find((row) => row.metric === metric && row.parameter === parameter)?.share ?? 0);
  return stackedBars({
    label: 'Sensitivity of each metric to each parameter', horizontal: true, unit: '%', axisName: 'share of the metric’s spread [%]',
    names: metrics.map((metric) => metric.label), series: parameters.map((name) => ({ name, values: metrics.map((metric) => Number(share(metric.name, name).toPrecision(4))) })),
  }).element;
}

export function sweepView(data) {
  const columns = columnsOf(data);
  const done = data.points.filter(isDone);
  const failed = data.points.filter((point) => point.status === 'failed');
  const pending = data.points.length - done.length - failed.length;
  if (data.points.length === 0) return h('p', { class: 'absent' }, 'The sweep has no points.');

  let brushed = null;
  const input = h('input', { type: 'search', id: 'filter', placeholder: 'words of model, parameter=value, bound', autocomplete: 'off', spellcheck: 'false' });
  const model = h('select', { id: 'model', 'aria-label': 'model' }, h('option', { value: '' }, 'all models'), data.models.map((name) => h('option', { value: name }, name)));
  const onlyFront = h('input', { type: 'checkbox', id: 'only-front' });
  const shown = h('output', { for: 'filter model only-front' });
  const select = (point) => { input.value = `point ${point.id}`; filter(); };
  const scatter = scatterPart(data, columns, select);
  const parallel = parallelPart(data, columns, (keeps) => { brushed = keeps; filter(false); });
  const rows = pointsTable(done, columns);

  // The lines of the parallel coordinates stay while their axes are brushed.
  function filter(redraws = true) {
    const keeps = wordFilter(input.value);
    const kept = done.filter((p) => (model.value === '' || p.model === model.value) && (!onlyFront.checked || p.pareto) && keeps(searched(p, columns)));
    if (redraws) parallel.show(kept);
    const both = brushed === null ? kept : kept.filter(brushed);
    scatter.show(both);
    rows.setRows(both);
    shown.textContent = both.length === done.length ? count(done.length, 'point') : `${both.length.toLocaleString('en')} of ${count(done.length, 'point')}`;
  }
  input.addEventListener('input', () => filter());
  model.addEventListener('change', () => filter());
  onlyFront.addEventListener('change', () => filter());
  queueMicrotask(() => filter());

  const objectives = data.objectives.map((name) => data.metrics.find((metric) => metric.name === name)?.label ?? name);
  const links = [['front', 'Front'], ['parallel', 'Parameters'], ['sensitivity', 'Sensitivity'], ['points', 'Points'], ['failed', 'Failed']];
  const numbers = done.filter((p) => p.pareto).length;
  return [
    h('div', { class: 'bar' }, h('nav', { 'aria-label': 'sections' }, links.map(([id, text]) => h('a', { href: `#${id}` }, text))),
      h('search', { class: 'inline' }, h('label', { for: 'filter' }, 'Points'), input, data.models.length > 1 && model,
        h('label', { class: 'plain' }, onlyFront, ' front only'), shown)),
    section('front', 'Pareto front',
      h('p', {}, `${count(data.points.length, 'point')}, ${failed.length.toLocaleString('en')} failed, ${pending > 0 ? `${pending.toLocaleString('en')} not run yet, ` : ''}${numbers.toLocaleString('en')} on the front of ${objectives.join(' and ')} (diamonds).`),
      data.all_points && h('p', { class: 'muted' }, `The sweep has ${count(data.all_points, 'point')}; this page holds those on the front and a share of the others.`),
      h('p', { class: 'muted' }, 'A line is the front of the two quantities that are shown, over the points of a model that are shown.'),
      done.length > 0 ? scatter.element : absent('No point has results.')),
    section('parallel', 'Parameters and metrics', done.length > 0 ? parallel.element : absent('No point has results.')),
    section('sensitivity', 'Sensitivity', data.sensitivity.length > 0 ? sensitivityChart(data) : absent('The sweep has no sensitivities: they need at least two values of a parameter.')),
    section('points', 'Points', done.length > 0 ? rows.element : absent('No point has results.')),
    section('failed', 'Failed points', failed.length > 0 ? failedTable(failed, columns) : absent('None.')),
  ];
}
