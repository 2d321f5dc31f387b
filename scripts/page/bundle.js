// Bundles src/ and its packages into one HTML file without references to other files.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, '../../sim/report/page/template.html');
const maxBytes = 1_200_000;

const read = (path) => readFileSync(join(here, path), 'utf8');
const sha256 = (text, encoding) => createHash('sha256').update(text).digest(encoding);

// Of "path, newline, content" of every file that decides the template, in the order of the paths.
// tests/browser/test_pages.py computes the same.
function sourceHash() {
  const files = readdirSync(join(here, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).split(sep).join('/'));
  files.push('build', 'bundle.js', 'package.json', 'package-lock.json');
  return sha256(files.sort().map((file) => `${file}\n${read(file)}`).join(''), 'hex');
}

async function bundle(entry) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['es2022', 'chrome105', 'firefox110', 'safari16'],
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
  });
  return result.outputFiles[0].text.trim();
}

// Each marker stands once in the page; the markers of the data stay for npusim to fill.
function put(page, marker, text) {
  const parts = page.split(marker);
  if (parts.length !== 2) throw new Error(`${marker} stands ${parts.length - 1} times in the page`);
  return parts.join(text);
}

const notices = [
  'Apache ECharts, Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0',
  read('node_modules/echarts/NOTICE'),
  `zrender\n${read('node_modules/zrender/LICENSE')}`,
  `tslib\n${read('node_modules/tslib/LICENSE.txt')}`,
].map((text) => text.replaceAll('\r', '').trim()).join('\n\n');

// The file ends a script with these characters, whatever surrounds them.
const script = (await bundle('src/main.js')).replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
let page = read('src/page.html').trim();
page = put(page, '@NOTICES@', notices);
page = put(page, '@STYLE@', await bundle('src/page.css'));
page = put(page, '@SCRIPT_HASH@', sha256(script, 'base64'));
page = put(page, '@SCRIPT@', script);
page = put(page, '@SOURCES@', sourceHash());
for (const marker of ['@TITLE@', '@DATA@']) put(page, marker, '');
page = `${put(page, '@TEMPLATE@', sha256(page, 'hex'))}\n`;

const bytes = Buffer.byteLength(page);
if (bytes > maxBytes) throw new Error(`the template has ${bytes} bytes, at most ${maxBytes}`);
if (process.argv.includes('--check')) {
  if (readFileSync(output, 'utf8') !== page) {
    console.error('sim/report/page/template.html is not what scripts/page builds to: run scripts/page/build');
    process.exit(1);
  }
} else {
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, page);
  console.log(`sim/report/page/template.html: ${bytes} bytes`);
}
