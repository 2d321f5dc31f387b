// The figures of a run, what it was, and where each unit's cycles went.
import { definitions, h } from '../../shared/dom.js';
import { bytes, figure, figureWithUnit, percent, withPrefix } from '../../shared/format.js';
import { stackedBars } from '../../shared/plots.js';
import { absent, section } from '../../shared/section.js';

const MIN_SHARE = 0.0005;

const SHOWN = {
  latency_ms: (v) => withPrefix(v / 1e3, 's'),
  inferences_per_s: (v) => withPrefix(v, '/s'),
  energy_per_inference_pj: (v) => withPrefix(v * 1e-12, 'J'),
  average_power_mw: (v) => withPrefix(v / 1e3, 'W'),
  pj_per_mac: (v) => `${figure(v)} pJ`,
  tops_per_w: (v) => `${figure(v)} TOPS/W`,
  mac_utilization_share: (v) => percent(v * 100, { digits: 1 }),
  macs_per_inference: (v) => withPrefix(v, ''),
  dram_bytes_per_inference: bytes,
};
export const shownFigure = ({ key, value, unit }) => (Object.hasOwn(SHOWN, key) ? SHOWN[key](value) : figureWithUnit(value, unit));

export function intervalText(run) {
  const interval = run.latency_interval;
  if (interval === null) return 'uncalibrated';
  return `${figure(interval.low_ms)} to ${figure(interval.high_ms)} ms at ${figure(interval.level_percent)} %`;
}

function badges(run) {
  const list = [
    run.latency_interval === null ? ['uncalibrated', 'warn'] : ['calibrated', 'good'],
    run.timing_only && ['timing only', 'neutral'],
    run.repeats_once && ['repeated layers simulated once', 'neutral'],
    [`${run.samples} inference${run.samples === 1 ? '' : 's'}`, 'neutral'],
  ];
  return h('p', { class: 'badges' }, list.filter(Boolean).map(([text, kind]) => h('span', { class: `verdict ${kind}` }, text)));
}

// What the host CPU does beside the NPU; its time is in no figure of the NPU.
function hostOperators(run) {
  const operators = run.host_operators.map((op) => `${op.name} (${[bytes(op.bytes), op.time_ms !== null && withPrefix(op.time_ms / 1e3, 's')].filter(Boolean).join(', ')})`);
  const sums = run.host_ms === null ? 'time and energy are not modelled'
    : `${withPrefix(run.host_ms / 1e3, 's')} and ${withPrefix(run.host_energy_pj * 1e-12, 'J')} per inference, beside the NPU’s`;
  return h('p', {}, h('strong', {}, `On the host: ${sums}. `), operators.join(', '));
}

function unitsChart(run) {
  const names = run.units.map((unit) => unit.unit);
  const buckets = [...new Set(run.units.flatMap((unit) => unit.buckets.map((b) => b.name)))];
  const total = (unit) => Math.max(1, unit.buckets.reduce((sum, b) => sum + b.cycles, 0));
  const share = (unit, name) => (100 * (unit.buckets.find((b) => b.name === name)?.cycles ?? 0)) / total(unit);
  const kept = buckets.filter((name) => run.units.some((unit) => share(unit, name) > 100 * MIN_SHARE));
  return stackedBars({
    label: 'Cycles of each unit by what they went to', names, horizontal: true, share: true, unit: '%', axisName: 'share of all cycles [%]',
    series: kept.map((name) => ({ name, values: run.units.map((unit) => share(unit, name)) })),
  }).element;
}

export function summarySection(run) {
  return {
    element: section('summary', 'Summary',
      badges(run),
      h('div', { class: 'cards' }, run.figures.map((item) => h('div', { class: 'card' },
        h('div', { class: 'card-label' }, item.label),
        h('div', { class: 'card-value' }, shownFigure(item)),
        item.key === 'latency_ms' && h('div', { class: 'card-note' }, intervalText(run))))),
      run.notes.length > 0 && h('ul', { class: 'notes' }, run.notes.map((note) => h('li', {}, note))),
      run.host_operators.length > 0 && hostOperators(run),
      h('h3', {}, 'Where each unit’s cycles went'),
      run.units.length > 0 ? unitsChart(run) : absent('The run has no units.'),
      h('h3', { id: 'provenance' }, 'Provenance'),
      h('div', { class: 'provenance' }, definitions([
        ...run.provenance.filter(([, value]) => value),
        ['clock_period', `${figure(run.clock_period_ps)} ps`],
        ['total_cycles', figure(run.total_cycles)],
        run.simulated_cycles !== run.total_cycles && ['simulated_cycles', figure(run.simulated_cycles)],
      ].filter(Boolean)))),
  };
}
