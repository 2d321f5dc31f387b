// How far the computed tensors are from the references.
import { categoryAxis, chart, grid, legend, toolbox, tooltip, valueAxis, zoom } from '../../shared/chart.js';
import { named } from '../../shared/colours.js';
import { definitions, h } from '../../shared/dom.js';
import { figure, fixed, percent } from '../../shared/format.js';
import { absent, count, section } from '../../shared/section.js';
import { table } from '../../shared/table.js';

const TABLE_ROWS = 25;
const BARS_WITHOUT_ZOOM = 40;
// Where no element differs from the float reference the ratio is infinite; null otherwise says that there is none.
const isExact = (error) => error.max_abs_error === 0;
const sqnrText = (error) => (error === null ? '–' : isExact(error) ? 'exact' : error.sqnr_db === null ? 'none' : fixed(error.sqnr_db, 2));

const facts = (t) => [
  ['layer', t.layer || 'none'], ['type', t.type], ['elements', figure(t.integer.elements)],
  ['differing from the integer reference', figure(t.integer.differing)],
  t.float && ['SQNR [dB]', sqnrText(t.float)],
  t.float && ['max abs. error', figure(t.float.max_abs_error)],
  t.float && ['cosine similarity', fixed(t.float.cosine, 6)],
].filter(Boolean);

function errorChart(tensors) {
  let shown = tensors;
  const name = (t) => `${t.layer || t.name}`;
  const sqnr = () => shown.map((t) => t.float?.sqnr_db ?? null);
  const exact = () => shown.map((t, i) => [i, 0, t]).filter(([, , t]) => t.float !== null && isExact(t.float)).map(([i]) => [i, 0]);
  const worst = () => shown.map((t) => (t.float && t.float.max_abs_error > 0 ? t.float.max_abs_error : null));
  const made = chart({
    label: 'Signal-to-quantization-noise ratio and largest error of each tensor against the float reference',
    points: tensors.length * 2,
    height: 360,
    option: (colours) => ({
      grid: grid({ bottom: 30 + (tensors.length > BARS_WITHOUT_ZOOM ? 26 : 0), left: 30, right: 30 }),
      xAxis: categoryAxis(shown.map(name), colours),
      yAxis: [{ ...valueAxis('SQNR [dB]', colours), nameGap: 36 },
        { ...valueAxis('max abs. error', colours), type: 'log', nameGap: 48, splitLine: { show: false } }],
      legend: legend(colours, ['SQNR', 'exact', 'max abs. error']),
      dataZoom: tensors.length > BARS_WITHOUT_ZOOM ? zoom(colours, { bottom: 26 }) : [],
      toolbox: toolbox(colours, 'accuracy'),
      tooltip: tooltip(colours, ({ seriesId, value, dataIndex }) => {
        const t = shown[seriesId === 'exact' ? value[0] : dataIndex];
        return h('div', {}, h('strong', {}, t.name), definitions(facts(t)));
      }),
      series: [
        { id: 'sqnr', name: 'SQNR', type: 'bar', barMaxWidth: 26, data: sqnr(), itemStyle: { color: named('blue') } },
        { id: 'exact', name: 'exact', type: 'scatter', symbol: 'triangle', symbolSize: 11, data: exact(), itemStyle: { color: named('green') } },
        { id: 'worst', name: 'max abs. error', type: 'scatter', yAxisIndex: 1, symbol: 'diamond', symbolSize: 10, data: worst(), itemStyle: { color: named('orange') } },
      ],
    }),
  });
  return {
    element: made.element,
    show(next) {
      shown = next;
      made.update({ xAxis: { data: shown.map(name) }, series: [{ id: 'sqnr', data: sqnr() }, { id: 'exact', data: exact() }, { id: 'worst', data: worst() }] });
    },
  };
}

function tensorsTable(caption, tensors) {
  const number = (title, value, text) => ({ title, number: true, value, text });
  return table({
    caption,
    columns: [
      { title: 'layer', value: (t) => t.layer, text: (t) => t.layer || '–' },
      { title: 'tensor', value: (t) => t.name, cell: (t) => h('span', { class: 'short', title: t.name }, t.name) },
      { title: 'type', value: (t) => t.type, text: (t) => t.type },
      number('elements', (t) => t.integer.elements, (t) => figure(t.integer.elements)),
      { ...number('differing, integer', (t) => t.integer.differing, (t) => figure(t.integer.differing)), class: (t) => (t.integer.differing > 0 ? 'far' : null) },
      number('max LSB', (t) => t.integer.max_lsb, (t) => figure(t.integer.max_lsb)),
      number('SQNR [dB]', (t) => (t.float ? t.float.sqnr_db ?? (isExact(t.float) ? 1e9 : -1e9) : null), (t) => sqnrText(t.float)),
      number('max abs. error', (t) => t.float?.max_abs_error, (t) => figure(t.float?.max_abs_error)),
      number('cosine', (t) => t.float?.cosine, (t) => fixed(t.float?.cosine, 6)),
      number('differing, float', (t) => t.float?.differing, (t) => figure(t.float?.differing)),
    ],
    rows: tensors,
    limit: TABLE_ROWS,
  });
}

export function accuracySection(run) {
  const { accuracy } = run;
  if (accuracy.absent) return { element: section('accuracy', 'Accuracy', absent(accuracy.absent)) };
  const tensors = accuracy.tensors;
  const hasFloat = tensors.some((t) => t.float !== null);
  const bars = hasFloat ? errorChart(tensors) : null;
  const rows = tensors.length > 0 ? tensorsTable('Tensors of the first sample', tensors) : null;
  const differing = accuracy.outputs.reduce((sum, t) => sum + t.integer.differing, 0);
  return {
    element: section('accuracy', 'Accuracy',
      h('p', {}, h('span', { class: `verdict ${differing === 0 ? 'good' : 'bad'}` },
        differing === 0 ? '✓ outputs equal the integer reference' : `✗ ${count(differing, 'element')} of the outputs differ from the integer reference`),
      ` over ${count(accuracy.samples, 'sample')}.`),
      accuracy.classes.length > 0 && table({
        caption: 'Classes',
        columns: [
          { title: 'the same class as', value: (c) => c.against, text: (c) => c.against },
          { title: 'top 1', number: true, value: (c) => c.top1, text: (c) => percent(c.top1 * 100) },
          { title: 'top 5', number: true, value: (c) => c.top5, text: (c) => percent(c.top5 * 100) },
        ],
        rows: accuracy.classes,
      }).element,
      h('h3', {}, 'Outputs'), tensorsTable('Outputs over all samples', accuracy.outputs).element,
      h('h3', {}, 'By layer, first sample'),
      h('p', { class: 'muted' }, 'Bars are against the float reference (higher is better); triangles are tensors without any difference. The integer reference has to be met in every bit.'),
      bars ? bars.element : absent('There is no float reference for tensors inside the network.'),
      rows ? rows.element : absent('No tensor inside the network was compared.')),
    filter(keeps) {
      const kept = tensors.filter((t) => keeps(t.layer || t.name));
      bars?.show(kept);
      rows?.setRows(kept);
    },
  };
}
