// The page's data names the view that shows it: {"kind": …, "title": …, …}.
import { h } from './shared/dom.js';
import { runView } from './views/run/run.js';
import { runsView } from './views/runs.js';
import { sweepView } from './views/sweep/sweep.js';
import { validationView } from './views/validation.js';

const views = { run: runView, runs: runsView, sweep: sweepView, validation: validationView };

function content() {
  const data = JSON.parse(document.getElementById('data').textContent);
  const view = Object.hasOwn(views, data.kind) ? views[data.kind] : null;
  if (view === null) throw new Error(`no view for pages of kind "${data.kind}"`);
  return [
    h('header', {}, h('h1', {}, data.title), data.subtitle ? h('p', { class: 'subtitle' }, data.subtitle) : null),
    h('main', {}, view(data)),
    data.generator ? h('footer', {}, data.generator) : null,
  ];
}

// As a picture (npusim report --format png): charts alone, and how high they are, for who takes it.
function drawPicture() {
  document.documentElement.classList.add('picture');
  setTimeout(() => { document.documentElement.dataset.height = document.documentElement.scrollHeight; }, 500);
}

try {
  document.body.append(...content().filter(Boolean));
} catch (error) {
  document.body.append(h('p', { class: 'page-error' }, `This page cannot be shown: ${error.message}`));
  throw error;
}
// The target of a link exists only now.
if (location.hash === '#picture') drawPicture();
else if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
