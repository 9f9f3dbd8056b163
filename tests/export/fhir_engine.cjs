// Evaluates the variables of a questionnaire for responses: node fhir_engine.cjs FILE
const fs = require("fs");
const path = require("path");
const modules = path.join(__dirname, "..", "node", "node_modules");
const fhirpath = require(path.join(modules, "fhirpath"));
const r4 = require(path.join(modules, "fhirpath", "fhir-context", "r4"));

const { questionnaire, responses } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const steps = questionnaire.extension
  .filter((one) => one.url.endsWith("/variable"))
  .map((one) => one.valueExpression);
const compiled = steps.map((step) => [step.name, fhirpath.compile(step.expression, r4)]);
const calculated = questionnaire.item
  .filter((item) => item.readOnly)
  .map((item) => [
    item.linkId,
    fhirpath.compile(
      item.extension.find((one) => one.url.endsWith("calculatedExpression")).valueExpression.expression,
      r4
    ),
  ]);
const out = responses.map((response) => {
  const known = { resource: response };
  for (const [name, evaluate] of compiled) known[name] = evaluate(response, known);
  const found = {};
  for (const [name, evaluate] of calculated) {
    const values = evaluate(response, known);
    found[name] = values.length ? values[0] : null;
  }
  return found;
});
process.stdout.write(JSON.stringify(out));
