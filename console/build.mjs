// Bundles the page into dist/, which is committed; with --tests, the unit tests into build/tests/.
//
// The same sources and lock file give the same bytes.

import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";

const here = new URL("./", import.meta.url);
const below = (path) => new URL(path, here).pathname;
const browsers = ["chrome109", "firefox115", "safari16.4"];

/** The licences of what ends up in the bundle ask for their texts to come along. */
async function licences() {
  const texts = [];
  for (const [name, file] of [
    ["scv-connector-base", "node_modules/scv-connector-base/LICENSE.txt"],
    ["@babel/runtime (inside of scv-connector-base)", "node_modules/@babel/runtime/LICENSE"],
  ]) {
    const text = await readFile(below(file), "utf8");
    texts.push(`${name}\n\n${text.replaceAll("*/", "* /").trim()}`);
  }
  return `/*!\nThis file contains:\n\n${texts.join("\n\n")}\n*/`;
}

const common = { bundle: true, absWorkingDir: below("."), logLevel: "warning", charset: "utf8" };

if (process.argv.includes("--tests")) {
  await rm(below("build/tests"), { recursive: true, force: true });
  const tests = (await readdir(below("tests"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    ...common,
    entryPoints: tests.map((name) => `tests/${name}`),
    outdir: "build/tests",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node20",
    format: "esm",
  });
} else {
  await mkdir(below("dist"), { recursive: true });
  await build({
    ...common,
    entryPoints: ["src/main.ts"],
    outfile: "dist/connector.js",
    format: "iife",
    target: browsers,
    minify: true,
    legalComments: "none",
    banner: { js: await licences() },
  });
  await build({
    ...common,
    entryPoints: ["src/connector.css"],
    outfile: "dist/connector.css",
    target: browsers,
  });
  await copyFile(below("src/connector.html"), below("dist/connector.html"));
}
