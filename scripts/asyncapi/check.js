// Checks AsyncAPI documents with the parser of the AsyncAPI initiative, and says each thing that it complains of in a
// line of its own. What it takes for an error or a warning fails; what is only advice is left to us.
//
//   node check.js FILE...

const { readFileSync } = require('node:fs');
const { DiagnosticSeverity, Parser } = require('@asyncapi/parser');

async function complaints(path) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, 'utf8'), { source: path });
  const wrong = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
  const lines = wrong.map(({ code, message, path: where, range }) =>
    `${path}:${range.start.line + 1}: ${where.join('.') || 'document'}: ${message} (${code})`);
  return document || lines.length > 0 ? lines : [`${path}: this is no AsyncAPI document`];
}

async function main(paths) {
  const all = (await Promise.all(paths.map(complaints))).flat();
  all.forEach((line) => console.error(line));
  process.exitCode = all.length === 0 && paths.length > 0 ? 0 : 1;
}

main(process.argv.slice(2));
