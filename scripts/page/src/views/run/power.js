// Power over time by component.
import { h } from '../../shared/dom.js';
import { figure } from '../../shared/format.js';
import { steps } from '../../shared/plots.js';
import { absent, section } from '../../shared/section.js';

export function powerSection(run, clock) {
  const { power } = run;
  if (power.absent) return { element: section('power', 'Power over time', absent(power.absent)) };
  const most = Math.max(...power.peak_watts, 1e-12);
  const [factor, unit] = most >= 1 ? [1, 'W'] : most >= 1e-3 ? [1e-3, 'mW'] : [1e-6, 'µW'];
  const used = power.components.map((name, c) => ({ name, values: power.watts[c].map((watts) => watts / factor) })).filter((s) => s.values.some((v) => v > 0));
  const merged = power.windows > power.peak_watts.length;
  return {
    element: section('power', 'Power over time',
      h('p', { class: 'muted' }, `Mean over windows of the energy section of the configuration, last inference; highest window ${figure(Number((most / factor).toPrecision(4)))} ${unit}.`,
        merged && ` ${figure(power.windows)} windows are drawn as ${figure(power.peak_watts.length)} means; the line is the highest window of each.`),
      steps({
        label: 'Power over time by component', times: power.begins.map(clock.time), range: [clock.time(run.timeline.begin), clock.time(run.timeline.end)], series: used, unit,
        lines: merged ? [{ name: 'highest window', values: power.peak_watts.map((watts) => watts / factor), colour: 'warning' }] : [],
        xName: `time [${clock.unit}]`, yName: `power [${unit}]`, formatX: clock.text,
      }).element),
  };
}
