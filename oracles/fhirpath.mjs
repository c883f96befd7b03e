// HL7's fhirpath.js, asked over standard input. The first line is the list of expressions; each other
// line is a resource and the numbers of the expressions to ask of it. One line answers each: for every
// expression its items as [type, value], or why there are none.

import { createInterface } from 'node:readline';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

// What it says of itself is no answer.
console.log = console.error;

let resource;

// fhirpath.js asks a server. Here a reference is known by its type, and a contained resource by itself.
function target(item) {
  const reference = item?.reference ?? item;
  if (typeof reference !== 'string') return undefined;
  if (reference.startsWith('#')) {
    return resource.contained?.find(({ id }) => id === reference.slice(1));
  }
  const type = /(?:^|\/)([A-Z]\w+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[^/]+)?$/.exec(reference)?.[1];
  return type && r4.availableTypes.has(type) ? { resourceType: type } : undefined;
}

const node = (value) => fhirpath.evaluate(value, '$this', {}, r4, { resolveInternalTypes: false });

const options = {
  resolveInternalTypes: false,
  preciseMath: true,
  traceFn: () => {},
  userInvocationTable: {
    resolve: {
      fn: (items) => items.map((item) => target(item?.data ?? item)).filter(Boolean).flatMap(node),
      arity: { 0: [] },
      internalStructures: true,
    },
  },
};

function compiled(text) {
  try {
    return fhirpath.compile(text, r4, options);
  } catch (error) {
    return () => { throw error; };
  }
}

function answer(expression) {
  try {
    const found = expression(resource, { resource, rootResource: resource });
    const types = found.map((item) => fhirpath.types([item])[0]);
    return found.map((item, index) => [types[index], item]);
  } catch (error) {
    return { failed: String(error?.message ?? error).slice(0, 300) };
  }
}

let expressions;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (!expressions) {
    expressions = message.map(compiled);
    continue;
  }
  ({ resource } = message);
  const answers = message.ask.map((number) => answer(expressions[number]));
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
