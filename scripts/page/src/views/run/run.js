// One run, section by section: {"run": …} of sim/publish/page_data.cpp.
import { h } from '../../shared/dom.js';
import { count, wordFilter } from '../../shared/section.js';
import { accuracySection } from './accuracy.js';
import { clockOf } from './clock.js';
import { configurationSection } from './configuration.js';
import { energySection } from './energy.js';
import { layersSection } from './layers.js';
import { memorySection } from './memory.js';
import { pathSection } from './path.js';
import { powerSection } from './power.js';
import { rooflineSection } from './roofline.js';
import { summarySection } from './summary.js';
import { timelineSection } from './timeline.js';

const SHORT = { memory: 'Memory', power: 'Power' };

export function runSections(run) {
  const clock = clockOf(run);
  const timeline = timelineSection(run, clock);
  const onLayer = (name) => {
    timeline.showLayer(name);
    timeline.element.scrollIntoView();
  };
  const sections = [
    summarySection(run), layersSection(run, onLayer), rooflineSection(run), timeline, energySection(run), memorySection(run, clock),
    powerSection(run, clock), accuracySection(run), pathSection(run), configurationSection(run),
  ];
  const links = sections.map(({ element }) => h('a', { href: `#${element.id}` }, SHORT[element.id] ?? element.querySelector('h2').textContent));
  const input = h('input', { type: 'search', id: 'filter', placeholder: 'words of a layer’s name', autocomplete: 'off', spellcheck: 'false' });
  const shown = h('output', { for: 'filter' }, count(run.layers.length, 'layer'));

  function filter() {
    const keeps = wordFilter(input.value);
    const kept = run.layers.filter((layer) => keeps(layer.name)).length;
    shown.textContent = kept === run.layers.length ? count(kept, 'layer') : `${kept.toLocaleString('en')} of ${count(run.layers.length, 'layer')}`;
    for (const each of sections) each.filter?.(keeps);
  }
  input.addEventListener('input', filter);

  return [
    h('div', { class: 'bar' }, h('nav', { 'aria-label': 'sections' }, links),
      h('search', { class: 'inline' }, h('label', { for: 'filter' }, 'Layers'), input, shown)),
    sections.map(({ element }) => element),
  ];
}

export const runView = ({ run }) => runSections(run);
