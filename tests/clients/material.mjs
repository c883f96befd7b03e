// Synthetic people and measurements for the client tests.

// The n-th identity number of this file: a synthetic one (month + 80), with right check digits.
export function number(n) {
  for (let individual = 100 + n * 20; ; individual++) {
    const first = `019150${individual}`.split("").map(Number);
    const k1 = check(first, [3, 7, 6, 1, 8, 9, 4, 5, 2]);
    const k2 = check([...first, k1], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    if (k1 < 10 && k2 < 10) return [...first, k1, k2].join("");
  }
}

function check(digits, weights) {
  const sum = digits.reduce((total, digit, i) => total + digit * weights[i], 0);
  return (11 - (sum % 11)) % 11;
}

export function pulse(patient, effectiveDateTime, value, reference = `Patient/${patient}`) {
  return {
    resourceType: "Observation",
    status: "final",
    category: [
      {
        coding: [
          {
            system: "http://terminology.hl7.org/CodeSystem/observation-category",
            code: "vital-signs",
          },
        ],
      },
    ],
    code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
    subject: { reference },
    effectiveDateTime,
    valueQuantity: {
      value,
      unit: "/min",
      system: "http://unitsofmeasure.org",
      code: "/min",
    },
  };
}
