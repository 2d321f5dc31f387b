// Predicted against reference figures, one section per suite:
// {"suites": [{name, quantity, unit, reference, differs, bound, verdict, mean_error_percent, bias_percent,
//   max_error_percent, worst_row, rank_correlation, rows: [{row, reference, predicted, error, failure}]}]}.
// `error` is (predicted − reference) / reference; a row without a prediction has a `failure`.
import { definitions, h } from '../shared/dom.js';
import { figure, fixed, percent, titleWithUnit } from '../shared/format.js';
import { table } from '../shared/table.js';
import { GUIDE_TEXT, charts, isNear } from './validation_charts.js';

const TABLE_ROWS = 25;

const RANGES = {
  all: { text: 'all rows', keeps: () => true },
  near: { text: `within ${GUIDE_TEXT}`, keeps: isNear },
  far: { text: `beyond ${GUIDE_TEXT}`, keeps: (row) => !row.failure && !isNear(row) },
  failed: { text: 'failed', keeps: (row) => Boolean(row.failure) },
};

const anchor = (suite) => `suite-${suite.name}`;
const count = (number, noun) => `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

const VERDICTS = {
  holds: { kind: 'good', text: '✓ holds' },
  reported: { kind: 'neutral', text: 'reported' },
  LEFT: { kind: 'bad', text: '✗ bound left' },
  'FAILED ROWS': { kind: 'bad', text: '✗ failed rows' },
};
const verdict = (suite) => h('span', { class: `verdict ${VERDICTS[suite.verdict].kind}` }, VERDICTS[suite.verdict].text);

function summary(suites) {
  return table({
    caption: 'Suites',
    columns: [
      { title: 'suite', value: (s) => s.name, cell: (s) => h('a', { href: `#${encodeURIComponent(anchor(s))}` }, s.name) },
      { title: 'verdict', value: (s) => s.verdict, cell: verdict },
      { title: 'quantity', value: (s) => s.quantity, text: (s) => s.quantity },
      { title: 'rows', number: true, value: (s) => s.rows.length, text: (s) => figure(s.rows.length) },
      { title: 'mean error', number: true, value: (s) => s.mean_error_percent, text: (s) => percent(s.mean_error_percent) },
      { title: 'bias', number: true, value: (s) => s.bias_percent, text: (s) => percent(s.bias_percent, { sign: true }) },
      { title: 'max error', number: true, value: (s) => s.max_error_percent, text: (s) => percent(s.max_error_percent) },
      { title: 'rank corr.', number: true, value: (s) => s.rank_correlation, text: (s) => fixed(s.rank_correlation, 3) },
      { title: 'bound', value: (s) => s.bound, text: (s) => s.bound, class: () => 'wide' },
    ],
    rows: suites,
  }).element;
}

function rowsTable(suite, highlight) {
  const onMouse = (on, row) => (event) => event.pointerType === 'mouse' && highlight(row, on);
  return table({
    caption: `Rows of ${suite.name}`,
    columns: [
      { title: 'row', value: (r) => r.row, text: (r) => r.row },
      { title: titleWithUnit('reference', suite.unit), number: true, value: (r) => r.reference, text: (r) => figure(r.reference) },
      { title: titleWithUnit('predicted', suite.unit), number: true, value: (r) => r.predicted, text: (r) => figure(r.predicted) },
      {
        title: 'error',
        number: true,
        value: (r) => (r.failure ? null : Math.abs(r.error)),
        text: (r) => (r.failure ? `failed: ${r.failure}` : percent(r.error * 100, { sign: true })),
        class: (r) => (r.failure ? 'failure' : isNear(r) ? null : 'far'),
      },
    ],
    rows: suite.rows,
    limit: TABLE_ROWS,
    rowAttributes: (row) => ({ onpointerenter: onMouse(true, row), onpointerleave: onMouse(false, row) }),
  });
}

function suiteSection(suite, search) {
  const drawn = charts(suite, (row) => search(row.row));
  const rows = rowsTable(suite, drawn.highlight);
  const facts = [
    ['rows', figure(suite.rows.length)],
    suite.failures > 0 && ['failed rows', figure(suite.failures)],
    ['mean error', percent(suite.mean_error_percent)],
    ['bias', percent(suite.bias_percent, { sign: true })],
    ['max error', percent(suite.max_error_percent)],
    ['rank correlation', fixed(suite.rank_correlation, 3)],
    ['bound', suite.bound],
    suite.worst_row && ['worst row', suite.worst_row],
  ];
  const element = h('section', { id: anchor(suite), class: 'suite' },
    h('h2', {}, suite.name, ' ', verdict(suite)),
    h('p', {}, h('strong', {}, `${suite.quantity}: `), suite.reference),
    suite.differs && h('p', {}, h('strong', {}, 'differs: '), suite.differs),
    h('div', { class: 'facts' }, definitions(facts.filter(Boolean))),
    drawn.element,
    rows.element);
  return {
    suite,
    element,
    show(next) {
      element.hidden = next.length === 0;
      rows.setRows(next);
      drawn.show(next);
    },
  };
}

// Rows that hold every word, in their own name or their suite's.
function matches(suite, words, range) {
  const suiteText = suite.name.toLowerCase();
  return suite.rows.filter((row) => {
    const text = row.row.toLowerCase();
    return RANGES[range].keeps(row) && words.every((word) => text.includes(word) || suiteText.includes(word));
  });
}

export function validationView({ suites }) {
  if (suites.length === 0) return h('p', {}, 'No suites.');
  const all = suites.reduce((sum, suite) => sum + suite.rows.length, 0);
  const input = h('input', { type: 'search', id: 'filter', placeholder: 'words of a row or suite', autocomplete: 'off', spellcheck: 'false' });
  const range = h('select', { id: 'range', 'aria-label': 'error' }, Object.entries(RANGES).map(([value, { text }]) => h('option', { value }, text)));
  const shown = h('output', { for: 'filter range' });
  const sections = suites.map((suite) => suiteSection(suite, (text) => { input.value = text; filter(); }));

  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let kept = 0;
    for (const section of sections) {
      const rows = matches(section.suite, words, range.value);
      kept += rows.length;
      section.show(rows);
    }
    shown.textContent = kept === all ? count(all, 'row') : `${kept.toLocaleString('en')} of ${count(all, 'row')}`;
  }
  shown.textContent = count(all, 'row');
  input.addEventListener('input', filter);
  range.addEventListener('change', filter);

  return [
    summary(suites),
    h('p', { class: 'muted' }, 'Error is (predicted − reference) / reference. Mean and max are of its absolute value, bias is its signed mean, ',
      'rank corr. is Spearman’s. A suite without a bound is only reported.'),
    h('search', { class: 'filter' }, h('label', { for: 'filter' }, 'Rows'), input, range, shown),
    sections.map((section) => section.element),
  ];
}
