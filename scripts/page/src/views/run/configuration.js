// The files of the NPU's configuration as they ran.
import { h } from '../../shared/dom.js';
import { absent, section } from '../../shared/section.js';

export function configurationSection(run) {
  const { configuration } = run;
  if (configuration.absent) return { element: section('configuration', 'Configuration', absent(configuration.absent)) };
  return {
    element: section('configuration', 'Configuration',
      configuration.files.map((file, i) => h('details', { open: i === 0 }, h('summary', {}, file.name), h('pre', { tabindex: '0' }, file.text)))),
  };
}
