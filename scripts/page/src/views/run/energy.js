// Energy by component, by class of its source and by layer; the ledger.
import { h } from '../../shared/dom.js';
import { figure, percent, withPrefix } from '../../shared/format.js';
import { stackedBars } from '../../shared/plots.js';
import { absent, section } from '../../shared/section.js';
import { table } from '../../shared/table.js';

const TABLE_ROWS = 40;
const CLASSES = {
  measured: 'measured on silicon', published: 'published for a like part', derived: 'derived from published figures', assumed: 'assumed', placeholder: 'placeholder',
};
const UNITS = [[1e12, 'J'], [1e9, 'mJ'], [1e6, 'µJ'], [1e3, 'nJ'], [1, 'pJ']];

export const energyUnit = (most) => UNITS.find(([factor]) => most >= factor) ?? UNITS.at(-1);

const sumBy = (rows, key) => {
  const sums = new Map();
  for (const row of rows) sums.set(row[key], (sums.get(row[key]) ?? 0) + row.energy_pj);
  return sums;
};

// A chart of one bar per name.
function bars(label, sums, names, total) {
  const [factor, unit] = energyUnit(Math.max(...sums.values(), 1));
  return stackedBars({
    label, horizontal: true, unit, axisName: `energy [${unit}]`, names, byName: true, height: 260,
    series: [{ name: 'energy', values: names.map((name) => ({ value: sums.get(name) / factor })) }],
    note: (i) => h('div', {}, percent((100 * sums.get(names[i])) / total, { digits: 1 })),
  });
}

function ledger(run, total) {
  const number = (title, value, text) => ({ title, number: true, value, text });
  return table({
    caption: 'Energy ledger',
    columns: [
      { title: 'component', value: (r) => r.component, text: (r) => r.component },
      { title: 'event', value: (r) => r.event, text: (r) => r.event },
      number('count', (r) => r.count, (r) => figure(r.count)),
      number('each [pJ]', (r) => r.per_event_pj, (r) => figure(Number(r.per_event_pj.toPrecision(5)))),
      number('energy [nJ]', (r) => r.energy_pj, (r) => figure(Number((r.energy_pj * 1e-3).toPrecision(5)))),
      number('share', (r) => r.energy_pj, (r) => percent((100 * r.energy_pj) / total, { digits: 1 })),
      { title: 'class', value: (r) => r.class, cell: (r) => h('span', { class: `class class-${Object.hasOwn(CLASSES, r.class) ? r.class : 'other'}` }, r.class) },
      { title: 'source', value: (r) => r.source, text: (r) => r.source, class: () => 'wide small' },
    ],
    rows: run.energy,
    limit: TABLE_ROWS,
  });
}

export function energySection(run) {
  const total = run.energy.reduce((sum, row) => sum + row.energy_pj, 0);
  if (total === 0) return { element: section('energy', 'Energy', absent('The run used no energy.')) };
  const byComponent = sumBy(run.energy, 'component');
  const byClass = sumBy(run.energy, 'class');
  const components = [...byComponent.keys()].sort((a, b) => byComponent.get(b) - byComponent.get(a));
  const classes = Object.keys(CLASSES).filter((name) => byClass.has(name)).concat([...byClass.keys()].filter((name) => !Object.hasOwn(CLASSES, name)));
  const [factor, unit] = energyUnit(Math.max(...run.layers.map((layer) => layer.energy_pj), 1));
  const byLayer = stackedBars({
    label: 'Energy of each layer by component', unit, axisName: `energy [${unit}]`, names: run.layers.map((layer) => layer.name),
    series: run.components.map((name, c) => ({ name, values: run.layers.map((layer) => layer.component_pj[c] / factor) })),
  });
  return {
    element: section('energy', 'Energy',
      h('p', {}, `${withPrefix(total * 1e-12, 'J')} for ${run.samples} inference${run.samples === 1 ? '' : 's'}. `,
        h('span', { class: 'muted' }, 'Uncalibrated: no energy was fitted to this chip’s silicon; the class of each figure’s source says what it is worth.')),
      h('div', { class: 'charts' },
        h('div', {}, h('h3', {}, 'By component'), bars('Energy by component', byComponent, components, total).element),
        h('div', {}, h('h3', {}, 'By class of source'), bars('Energy by class of source', byClass, classes, total).element)),
      h('h3', {}, 'By layer, last inference'), byLayer.element,
      run.no_layer_energy_pj > 0 && h('p', { class: 'muted' }, `Events of no layer: ${withPrefix(run.no_layer_energy_pj * 1e-12, 'J')}.`),
      h('h3', { id: 'ledger' }, 'Ledger'), h('p', { class: 'muted' }, 'Energy is count times energy of each event; leakage counts cycles. All inferences.'),
      ledger(run, total).element),
    filter(keeps) { byLayer.show((row) => keeps(run.layers[row].name)); },
  };
}
