// Layers of the last inference: cycles by what bounds them, and all figures as a table.
import { categoryAxis, chart, grid, legend, toolbox, tooltip, valueAxis, zoom } from '../../shared/chart.js';
import { colourOf } from '../../shared/colours.js';
import { definitions, h } from '../../shared/dom.js';
import { bytes, figure, fixed, percent, withPrefix } from '../../shared/format.js';
import { absent, section } from '../../shared/section.js';
import { table } from '../../shared/table.js';

const TABLE_ROWS = 25;
const BARS_WITHOUT_ZOOM = 40;

export const layerFacts = (run, layer) => [
  ['cycles', figure(layer.cycles)],
  ['bound by', layer.bound_by],
  ['MACs', withPrefix(layer.macs, '')],
  ['utilization', percent(layer.utilization * 100, { digits: 1 })],
  ['DRAM', bytes(layer.dram_read_bytes + layer.dram_write_bytes)],
  ['energy', withPrefix(layer.energy_pj * 1e-12, 'J')],
];

function cyclesChart(run, onLayer) {
  const bounds = [...new Set(run.layers.map((layer) => layer.bound_by))];
  let shown = run.layers;
  const series = () => bounds.map((bound) => ({ id: bound, data: shown.map((layer) => (layer.bound_by === bound ? layer.cycles : null)) }));
  const made = chart({
    label: 'Cycles of each layer, coloured by what bounds it',
    points: run.layers.length,
    height: 330,
    on: { click: ({ dataIndex }) => onLayer(shown[dataIndex].name) },
    option: (colours) => ({
      grid: grid({ bottom: 30 + (run.layers.length > BARS_WITHOUT_ZOOM ? 26 : 0), left: 30 }),
      xAxis: categoryAxis(shown.map((layer) => layer.name), colours),
      yAxis: { ...valueAxis('cycles', colours), nameGap: 44 },
      legend: legend(colours, bounds),
      dataZoom: run.layers.length > BARS_WITHOUT_ZOOM ? zoom(colours, { bottom: 26 }) : [],
      toolbox: toolbox(colours, 'cycles by layer'),
      tooltip: tooltip(colours, ({ dataIndex }) => h('div', {}, h('strong', {}, shown[dataIndex].name), definitions(layerFacts(run, shown[dataIndex])))),
      series: series().map((s) => ({ ...s, name: s.id, type: 'bar', stack: 'all', barMaxWidth: 26, itemStyle: { color: colourOf(s.id) } })),
    }),
  });
  return {
    element: made.element,
    show(rows) {
      shown = rows;
      made.update({ xAxis: { data: rows.map((layer) => layer.name) }, series: series() });
    },
  };
}

function layersTable(run, onLayer) {
  const hasAccuracy = run.layers.some((layer) => layer.sqnr_db !== null || layer.exact || layer.differing !== null);
  const hasRepeats = run.layers.some((layer) => layer.repeats > 1);
  const number = (title, value, text) => ({ title, number: true, value, text });
  return table({
    caption: 'Layers',
    columns: [
      { title: 'layer', value: (l) => l.order, cell: (l) => h('button', { type: 'button', class: 'link', title: 'show in the timeline', onclick: () => onLayer(l.name) }, l.name) },
      hasRepeats && number('repeats', (l) => l.repeats, (l) => figure(l.repeats)),
      number('cycles', (l) => l.cycles, (l) => figure(l.cycles)),
      { title: 'bound by', value: (l) => l.bound_by, cell: (l) => h('span', { class: 'bound' }, h('i', { class: `dot b-${l.bound_by.replaceAll(/[^a-z_]/g, '')}` }), l.bound_by) },
      number('utilization', (l) => l.utilization, (l) => percent(l.utilization * 100, { digits: 1 })),
      number('MACs', (l) => l.macs, (l) => figure(l.macs)),
      number('DRAM read [B]', (l) => l.dram_read_bytes, (l) => figure(l.dram_read_bytes)),
      number('DRAM write [B]', (l) => l.dram_write_bytes, (l) => figure(l.dram_write_bytes)),
      number('energy [nJ]', (l) => l.energy_pj, (l) => figure(Number((l.energy_pj * 1e-3).toPrecision(5)))),
      hasAccuracy && number('SQNR [dB]', (l) => (l.exact ? 1e9 : l.sqnr_db), (l) => (l.exact ? 'exact' : fixed(l.sqnr_db, 2))),
      hasAccuracy && number('differing', (l) => l.differing, (l) => figure(l.differing)),
    ].filter(Boolean),
    rows: run.layers.map((layer, order) => ({ ...layer, order })),
    limit: TABLE_ROWS,
  });
}

export function layersSection(run, onLayer) {
  if (run.layers.length === 0) return { element: section('layers', 'Layers', absent('The program has no layers.')) };
  const bars = cyclesChart(run, onLayer);
  const rows = layersTable(run, onLayer);
  const numbered = run.layers.map((layer, order) => ({ ...layer, order }));
  return {
    element: section('layers', 'Layers',
      h('p', { class: 'muted' }, 'Of the last inference. A layer’s span ends with its last instruction, so spans add up to the inference; ',
        'it is bound by the unit that is busy most of its span, by latency where none is busy half of it.'),
      bars.element, rows.element),
    filter(keeps) {
      bars.show(run.layers.filter((layer) => keeps(layer.name)));
      rows.setRows(numbered.filter((layer) => keeps(layer.name)));
    },
  };
}
