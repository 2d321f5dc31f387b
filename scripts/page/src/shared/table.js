// A table whose columns sort. Column: {title, value(row), text(row) | cell(row), number, class(row)}:
// `value` is sorted by, `text` or `cell` (an element) is shown, `number` aligns right.
import { h } from './dom.js';

function compare(a, b) {
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  return typeof a === 'string' ? a.localeCompare(b, 'en', { numeric: true }) : a - b;
}

// Longer tables show `limit` rows and a button for the others.
export function table({ caption, columns, rows, limit = Infinity, rowAttributes = () => ({}) }) {
  let shown = rows;
  let sort = null; // {column, descending}
  let all = false;

  const heads = columns.map((column) =>
    h('th', { scope: 'col', class: column.number ? 'number' : null },
      h('button', { type: 'button', onclick: () => sortBy(column) }, column.title)));
  const body = h('tbody', {});
  const more = h('button', { type: 'button', class: 'more', onclick: () => { all = true; draw(); } });
  const element = h('div', { class: 'table' },
    h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption },
      h('table', {}, h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', {}, heads)), body)),
    more);

  function sortBy(column) {
    const again = sort !== null && sort.column === column;
    sort = { column, descending: again ? !sort.descending : Boolean(column.number) };
    draw();
  }

  function draw() {
    const ordered = [...shown];
    if (sort !== null) {
      const { value } = sort.column;
      ordered.sort((a, b) => (sort.descending ? compare(value(b), value(a)) : compare(value(a), value(b))));
    }
    heads.forEach((head, i) => {
      if (sort !== null && sort.column === columns[i]) head.setAttribute('aria-sort', sort.descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    const visible = all ? ordered : ordered.slice(0, limit);
    body.replaceChildren(...visible.map((row) =>
      h('tr', rowAttributes(row), columns.map((column, i) =>
        h(i === 0 ? 'th' : 'td',
          { scope: i === 0 ? 'row' : null, class: [column.number && 'number', column.class?.(row)].filter(Boolean).join(' ') || null },
          column.cell ? column.cell(row) : column.text(row))))));
    more.hidden = visible.length === ordered.length;
    more.textContent = `Show all ${ordered.length} rows`;
  }

  draw();
  return {
    element,
    setRows(next) { shown = next; draw(); },
  };
}
