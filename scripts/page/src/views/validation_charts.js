// The charts of a suite over its reference figures: predictions beside y = x, and errors beside 0.
import { chart, linearAxis, logAxis, logRange, tooltip } from '../shared/chart.js';
import { definitions, h } from '../shared/dom.js';
import { figureWithUnit, percent, titleWithUnit } from '../shared/format.js';

const GUIDE = 0.1;
export const GUIDE_TEXT = `±${GUIDE * 100}\u00a0%`;
const NEAR_TEXT = `within ${GUIDE_TEXT}`;
const FAR_TEXT = `beyond ${GUIDE_TEXT}`;
const DIAMOND = 'path://M5 0L10 5L5 10L0 5Z';

export const isNear = (row) => !row.failure && Math.abs(row.error) <= GUIDE;

function pointTooltip(suite, row) {
  return h('div', {}, h('strong', {}, row.row), definitions([
    ['reference', figureWithUnit(row.reference, suite.unit)],
    ['predicted', figureWithUnit(row.predicted, suite.unit)],
    ['error', percent(row.error * 100, { sign: true })],
  ]));
}

// Points of `rows` at (reference, y(row)). `xRange` bounds the x axis; `guideAt(x, error)` is where a
// row with that error lies; `yAxis(colours)` and `label` describe the other axis.
function scatter({ suite, rows, xRange, y, guideAt, yAxis, label, onPoint }) {
  let shown = rows;
  const near = () => shown.filter(isNear);
  const far = () => shown.filter((row) => !isNear(row));
  const item = (row) => ({ name: row.row, value: [row.reference, y(row)], row });
  const points = () => [{ id: 'near', data: near().map(item) }, { id: 'far', data: far().map(item) }];
  const guide = (id, name, error, lineStyle) => ({
    id, name, type: 'line', silent: true, symbol: 'none', z: 1, lineStyle, itemStyle: { color: lineStyle.color },
    data: [xRange.min, xRange.max].map((x) => [x, guideAt(x, error)]),
  });

  function option(colours) {
    const dashed = { color: colours.guide, type: 'dashed', width: 1 };
    const dots = { type: 'scatter', emphasis: { scale: 2 }, z: 3 };
    const [nearPoints, farPoints] = points();
    const line = (name) => ({ name, itemStyle: { opacity: 0 } });
    return {
      grid: { left: 8, right: 16, top: 40, bottom: 32, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      xAxis: { ...logAxis(axisTitle(suite, 'reference'), xRange, colours), nameGap: 28 },
      yAxis: { ...yAxis(colours), nameGap: 46 },
      legend: {
        bottom: 0, itemWidth: 16, itemHeight: 9, itemGap: 9, textStyle: { color: colours.text, fontSize: 11 }, inactiveColor: colours.line,
        data: [{ name: NEAR_TEXT, icon: 'circle' }, { name: FAR_TEXT, icon: DIAMOND }, line('equal'), line(GUIDE_TEXT)],
      },
      tooltip: tooltip(colours, ({ data }) => pointTooltip(suite, data.row)),
      toolbox: {
        right: 8, top: 0, itemSize: 14, iconStyle: { borderColor: colours.muted },
        emphasis: { iconStyle: { borderColor: colours.accent, textFill: colours.text, textBackgroundColor: colours.surface } },
        feature: {
          dataZoom: { filterMode: 'none', title: { zoom: 'zoom into a box', back: 'zoom back' }, brushStyle: { color: colours.guide, opacity: 0.2 } },
          saveAsImage: { title: 'save as image', name: suite.name, backgroundColor: colours.surface },
        },
      },
      series: [
        guide('equal', 'equal', 0, { color: colours.guide, width: 1.5 }),
        guide('above', GUIDE_TEXT, GUIDE, dashed),
        guide('below', GUIDE_TEXT, -GUIDE, dashed),
        { ...dots, ...nearPoints, name: NEAR_TEXT, symbolSize: 8, itemStyle: { color: colours.accent, opacity: 0.75 } },
        { ...dots, ...farPoints, name: FAR_TEXT, symbol: 'diamond', symbolSize: 10, itemStyle: { color: colours.warning, opacity: 0.8 } },
      ],
    };
  }

  const made = chart({ label, option, points: rows.length, on: { click: ({ data }) => data?.row && onPoint(data.row) } });
  return {
    element: made.element,
    show(next) {
      shown = next;
      made.update({ series: points() });
    },
    highlight(row, on) {
      const dataIndex = (isNear(row) ? near() : far()).indexOf(row);
      if (dataIndex >= 0) made.dispatch({ type: on ? 'highlight' : 'downplay', seriesId: isNear(row) ? 'near' : 'far', dataIndex });
    },
  };
}

// "reference cycles", "reference power [mW]".
const axisTitle = (suite, side) => titleWithUnit(`${side} ${suite.quantity}`, suite.unit === suite.quantity ? '' : suite.unit);

// Both charts side by side; `onPoint(row)` is called for a point that is clicked.
export function charts(suite, onPoint) {
  const isDrawn = (row) => !row.failure && row.reference > 0 && row.predicted > 0;
  const predicted = suite.rows.filter((row) => !row.failure);
  const rows = suite.rows.filter(isDrawn);
  if (rows.length === 0) return { element: h('p', { class: 'muted' }, 'No row to draw.'), show() {}, highlight() {} };

  const range = logRange(rows.flatMap((row) => [row.reference, row.predicted]));
  const percents = rows.map((row) => row.error * 100);
  const made = [
    scatter({
      suite, rows, xRange: range, onPoint,
      y: (row) => row.predicted,
      guideAt: (x, error) => x * (1 + error),
      yAxis: (colours) => logAxis(axisTitle(suite, 'predicted'), range, colours),
      label: `${suite.name}: predicted against reference ${suite.quantity}, both axes logarithmic`,
    }),
    scatter({
      suite, rows, xRange: logRange(rows.map((row) => row.reference)), onPoint,
      y: (row) => row.error * 100,
      guideAt: (x, error) => error * 100,
      yAxis: (colours) => linearAxis('error [%]', [...percents, -150 * GUIDE, 150 * GUIDE], colours),
      label: `${suite.name}: error against reference ${suite.quantity}`,
    }),
  ];
  const hidden = predicted.length - rows.length;
  return {
    element: h('div', {},
      h('div', { class: 'charts' }, made.map((each) => each.element)),
      hidden > 0 && h('p', { class: 'muted' }, `Not drawn, as logarithmic axes have no 0: ${hidden} row${hidden === 1 ? '' : 's'}.`)),
    show(next) {
      for (const each of made) each.show(next.filter(isDrawn));
    },
    highlight(row, on) {
      for (const each of made) each.highlight(row, on);
    },
  };
}
