// The charts of a page: what its figures hold in words and numbers, drawn by uPlot. Without it the words remain.

const HOUR_S = 3600, DAY_S = 24 * HOUR_S;
const STEPS_S = [1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 2160, 4320].map(hours => hours * HOUR_S);
const LEVELS = 3, WORD_PX = 14; // levels of words above a chart
const INK = 12; // px of its letters

const css = (element, name) => getComputedStyle(element).getPropertyValue(name);
const utc = how => {
  const written = new Intl.DateTimeFormat("en", {timeZone: "UTC", hourCycle: "h23", ...how});
  return at => written.format(at * 1000);
};
const day = utc({month: "short", day: "numeric"}), clock = utc({hour: "2-digit", minute: "2-digit"});
const percent = value => value === 0 ? "0%" : `${value.toFixed(value < 1 ? 2 : 1)}%`;

// Seconds since 1970 have no summer time: counted as plain numbers they fall on whole hours and days of UTC.
const times = (_, splits, axis, space, step) => splits.map((at, n) => (
  step >= DAY_S ? day(at) : n === 0 || at % DAY_S === 0 ? `${clock(at)}\n${day(at)}` : clock(at)
));

// A line looks as its sample in the table does, which the style sheet colours.
function series(row, values) {
  const sample = getComputedStyle(row.querySelector("line"));
  const [name, first, last] = [...row.cells].map(cell => cell.textContent.trim());
  return {
    label: name,
    stroke: sample.stroke,
    width: parseFloat(sample.strokeWidth),
    dash: (sample.strokeDasharray.match(/[\d.]+/g) ?? []).map(length => length * devicePixelRatio),
    spanGaps: true,
    points: {show: values.filter(value => value !== null).length < 2},
    value: (_, value, __, at) => at == null ? `${first} → ${last}` : value == null ? "none" : percent(value),
  };
}

// Moments worth a vertical line, with their words on the first level where they meet no other; the text below has all.
function marked(marks, place) {
  return plot => {
    const {ctx, bbox: {left, top, width, height}} = plot;
    const free = Array(LEVELS).fill(-Infinity);
    const px = devicePixelRatio;
    ctx.save();
    ctx.font = font(place, px);
    ctx.strokeStyle = css(place, "--soft");
    ctx.fillStyle = css(place, "--ink");
    ctx.textBaseline = "middle";
    ctx.lineWidth = px;
    ctx.setLineDash([2 * px, 3 * px]);
    for (const [at, text] of marks) {
      const x = plot.valToPos(at, "x", true), wide = ctx.measureText(text).width + 10 * px;
      if (x < left || x > left + width) continue;
      const begin = x + wide > left + width ? x - wide : x;
      const level = free.findIndex(end => end <= begin);
      const y = top - (level < 0 ? 0 : (levels(marks) - level) * WORD_PX * px);
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      if (level < 0) continue;
      free[level] = begin + wide;
      ctx.textAlign = "left";
      ctx.fillText(text, begin + 5 * px, y + WORD_PX * px / 2);
    }
    ctx.restore();
  };
}

const levels = marks => Math.min(LEVELS, marks.length);
const font = (place, px = 1) => `${INK * px}px ${css(place, "font-family")}`;
const room = place => Math.floor(place.getBoundingClientRect().width);
const size = place => ({width: room(place), height: room(place) < 480 ? 220 : 260});
const height = (_, words) => words?.some(word => word.includes("\n")) ? 42 : 26; // of the axis of times

function axes(place) {
  const both = {stroke: css(place, "--soft"), font: font(place), ticks: {show: false}};
  const grid = {stroke: css(place, "--grid"), width: 1};
  return [
    {...both, incrs: STEPS_S, values: times, space: 62, size: height, grid: {show: false}},
    {...both, values: (_, splits) => splits.map(at => `${+at.toFixed(3)}%`), grid, size: 46, space: 34},
  ];
}

function draw(figure, seen) {
  const place = figure.querySelector(".plot");
  const {times: at, lines, marks} = JSON.parse(figure.dataset.chart);
  const rows = [...figure.querySelectorAll("tbody tr")];
  const span = figure.querySelector(".span").textContent;
  const plot = new uPlot({
    ...size(place),
    series: [
      {label: "UTC", value: (_, value) => value == null ? span : `${day(value)} ${clock(value)}`},
      ...rows.map((row, n) => series(row, lines[n])),
    ],
    scales: {x: {time: false}, y: {range: (_, __, most) => [0, roof(most)]}},
    axes: axes(place),
    padding: [8 + WORD_PX * levels(marks), 22, 0, 0],
    cursor: {y: false, sync: {key: "page"}, points: {size: 7}},
    legend: {markers: {width: 0, fill: "none"}},
    hooks: {draw: [marked(marks, place)]},
  }, [at, ...lines], place);
  plot.root.querySelectorAll(".u-marker").forEach((marker, n) => {
    if (n) marker.append(rows[n - 1].querySelector("svg").cloneNode(true));
  });
  again(plot, seen);
  figure.classList.add("drawn");
  return plot;
}

// The end of the scale: a little above what is highest, and never more than everything.
const roof = most => Math.min(100, uPlot.rangeNum(0, Math.max(most ?? 0, 0.5), 0.05, true)[1]);

// What the reader hid or looked closer at, which a page that is fresh keeps.
const look = plot => ({
  hidden: plot.series.filter(one => !one.show).map(one => one.label),
  x: [plot.scales.x.min, plot.scales.x.max],
  isWhole: plot.scales.x.min === plot.data[0][0] && plot.scales.x.max === plot.data[0].at(-1),
});

function again(plot, seen) {
  if (!seen) return;
  plot.series.forEach((one, n) => seen.hidden.includes(one.label) && plot.setSeries(n, {show: false}));
  if (!seen.isWhole) plot.setScale("x", {min: seen.x[0], max: seen.x[1]});
}

const drawn = new Map(); // of this page, by figure
const titleOf = figure => figure.querySelector("figcaption").textContent;
const resized = new ResizeObserver(entries => entries.forEach(({target}) => {
  const plot = drawn.get(target.closest("figure"));
  if (plot && plot.width !== room(target)) plot.setSize(size(target));
}));

function drawAll() {
  const seen = new Map([...drawn].map(([figure, plot]) => [titleOf(figure), look(plot)]));
  resized.disconnect();
  drawn.forEach(plot => plot.destroy());
  drawn.clear();
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    drawn.set(figure, draw(figure, seen.get(titleOf(figure))));
    resized.observe(figure.querySelector(".plot"));
  }
}

drawAll();
document.addEventListener("fresh", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
