// The critical path: what the length of the inference hangs on.
import { h } from '../../shared/dom.js';
import { figure, percent } from '../../shared/format.js';
import { cycleColour } from '../../shared/colours.js';
import { stackedBars } from '../../shared/plots.js';
import { absent, section } from '../../shared/section.js';
import { table } from '../../shared/table.js';

const MOST_CAUSES = 9;
const REST = 'other causes';
const causeName = (share) => `${share.unit}: ${share.cause}`;

export function pathSection(run) {
  const path = run.critical_path;
  if (path.absent) return { element: section('path', 'Critical path', absent(path.absent)) };
  const causes = path.shares.slice(0, MOST_CAUSES).map(causeName);
  const names = path.shares.length > MOST_CAUSES ? [...causes, REST] : causes;
  const cyclesOf = (layer, name) => layer.shares.filter((share) => (name === REST ? !causes.includes(causeName(share)) : causeName(share) === name))
    .reduce((sum, share) => sum + share.cycles, 0);
  const layerName = (layer) => layer.layer || 'no layer';
  const colour = (name, index) => cycleColour(index);
  const all = stackedBars({
    label: 'Critical path by unit and cause', horizontal: true, unit: '%', axisName: 'share of the critical path [%]', names: path.shares.slice(0, 16).map(causeName),
    colour, series: [{ name: 'share', values: path.shares.slice(0, 16).map((share) => (100 * share.cycles) / path.total_cycles) }],
  });
  const layers = stackedBars({
    label: 'Critical path of each layer by cause', unit: 'cycles', axisName: 'cycles of the path', names: path.layers.map(layerName), colour,
    series: names.map((name) => ({ name, values: path.layers.map((layer) => cyclesOf(layer, name)) })),
  });
  return {
    element: section('path', 'Critical path',
      h('p', { class: 'muted' }, `The chain of work of ${figure(path.total_cycles)} cycles that the last inference’s length hangs on, without gap or overlap. Making anything else faster gains nothing; `,
        'npusim explain simulates what a better part would gain.'),
      all.element, h('h3', {}, 'By layer'), layers.element,
      table({
        caption: 'Critical path by unit and cause',
        columns: [
          { title: 'unit', value: (s) => s.unit, text: (s) => s.unit },
          { title: 'cause', value: (s) => s.cause, text: (s) => s.cause },
          { title: 'cycles', number: true, value: (s) => s.cycles, text: (s) => figure(s.cycles) },
          { title: 'share', number: true, value: (s) => s.cycles, text: (s) => percent((100 * s.cycles) / path.total_cycles) },
        ],
        rows: path.shares,
        limit: 12,
      }).element),
    filter(keeps) { layers.show((row) => keeps(layerName(path.layers[row]))); },
  };
}
