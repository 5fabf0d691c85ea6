// Puts what a browser loads into dist/<hash>/: one stylesheet, the libraries, our modules, pictures.
// The folder's name is the hash of its content, so every file may be cached for ever and relative addresses hold.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "..", "..", "node_modules");
const dist = join(here, "dist");
const made = join(dist, `next-${process.pid}`);

// The order is part of the design: Bootstrap first, then our values, then what all pages share, then our components.
const COMPONENTS = [
  ...["tokens", "base", "buttons", "forms", "marks", "frame", "menu", "overlays", "empty"],
  ...["sidebar", "list", "tabbar", "conversation", "message", "composer", "aside", "banner"],
  ...["pages", "sign-in", "connect", "drift", "tags"],
];
const STYLES = [
  join(packages, "bootstrap/dist/css/bootstrap.min.css"),
  join(packages, "bootstrap-icons/font/bootstrap-icons.min.css"),
  ...COMPONENTS.map((name) => join(here, "css", `${name}.css`)),
];
const LIBRARIES = [
  join(packages, "htmx.org/dist/htmx.min.js"),
  join(packages, "idiomorph/dist/idiomorph.min.js"),
  join(packages, "idiomorph/dist/idiomorph-htmx.js"),
];

mkdirSync(join(made, "css/fonts"), { recursive: true });
writeFileSync(join(made, "css/signalbox.css"), joined(STYLES));
writeFileSync(join(made, "libraries.js"), joined(LIBRARIES));
cpSync(
  join(packages, "bootstrap-icons/font/fonts/bootstrap-icons.woff2"),
  join(made, "css/fonts/bootstrap-icons.woff2"),
);
// The editor comes from packages, as one file that is loaded when the first reply is begun.
await build({
  entryPoints: [join(here, "editor/editor.js")],
  outfile: join(made, "editor.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  absWorkingDir: join(here, "..", ".."),
  logLevel: "warning",
});
for (const folder of ["js", "img"]) cpSync(join(here, folder), join(made, folder), { recursive: true });

for (const name of filesIn(made)) if ([".css", ".js", ".svg"].includes(extname(name))) compress(name);

const folder = hashOf(made);
rmSync(join(dist, folder), { recursive: true, force: true });
renameSync(made, join(dist, folder));
// From here on new processes serve the new files; only then do the old ones go.
writeFileSync(join(dist, "manifest.json"), JSON.stringify({ folder, modules: readdirSync(join(here, "js")).sort() }));
for (const name of readdirSync(dist))
  if (![folder, "manifest.json"].includes(name)) rmSync(join(dist, name), { recursive: true });
console.log(`Front end built: app/static/dist/${folder}`);

function joined(files) {
  return files
    .map((file) => readFileSync(file, "utf8").replace(/\/[/*]# sourceMappingURL=.*?(\*\/|$)/gm, ""))
    .join("\n");
}

/** Compressed once here, as small as it goes, instead of at every request (app/web/assets.py). */
function compress(name) {
  const content = readFileSync(name);
  writeFileSync(`${name}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  writeFileSync(`${name}.gz`, gzipSync(content, { level: 9 }));
}

function filesIn(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function hashOf(root) {
  const hash = createHash("sha256");
  for (const name of filesIn(root)) hash.update(name.slice(root.length)).update(readFileSync(name));
  return hash.digest("hex").slice(0, 12);
}
