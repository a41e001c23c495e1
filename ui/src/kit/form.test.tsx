import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import connectors from "../../mock/connectors.json";
import type { Connector, Field } from "../api/types";
import { ConnectorForm, fieldId } from "./form";
import { type FormValues, formOf, isSecretValue, titleOf } from "./form_model";

afterEach(cleanup);

let latest: FormValues = {};
function Host({ fields, options = {} }: { fields: Field[]; options?: Record<string, unknown> }) {
  const [values, setValues] = useState(() => formOf(fields, options));
  latest = values;
  return <ConnectorForm fields={fields} values={values} errors={{}} onChange={setValues} onBlur={() => {}} />;
}

describe("every connector's form", () => {
  for (const connector of connectors.items as unknown as Connector[]) {
    it(`${connector.name} shows a control with a name and its help for each field`, () => {
      const { container } = render(<Host fields={connector.fields} />);
      for (const field of connector.fields) {
        const named = [...container.querySelectorAll("label, legend")].find(
          (label) => label.textContent?.replace(/ \*.*$/, "") === titleOf(field),
        );
        expect(named, field.name).toBeTruthy();
        if (field.help) expect(container.textContent).toContain(field.help.replaceAll("`", ""));
      }
      // Every label leads to a control.
      for (const label of container.querySelectorAll("label[for]"))
        expect(container.querySelector(`#${label.getAttribute("for")}`)).toBeTruthy();
    });
  }
});

describe("controls", () => {
  it("never show a secret that the server has", () => {
    render(
      <Host
        fields={[{ name: "key", type: "text", secret: true, required: true }]}
        options={{ key: { set: true, from: "secret:crm_key" } }}
      />,
    );
    expect(screen.getByText("set, never shown")).toBeTruthy();
    expect(document.querySelector("input")).toBeNull();
    fireEvent.click(screen.getByText("Replace"));
    const input = document.querySelector("input")!;
    expect(input.type).toBe("password");
    fireEvent.change(input, { target: { value: "new" } });
    expect(isSecretValue(latest.key) && latest.key.typed).toBe("new");
    expect(document.body.innerHTML).not.toContain('value="new"');
    fireEvent.click(screen.getByText("Keep the old one"));
    expect(isSecretValue(latest.key) && latest.key.typed).toBe(null);
  });
  it("take a list, one a line", () => {
    render(<Host fields={[{ name: "files", type: "text_list", required: true }]} />);
    fireEvent.change(document.getElementById(fieldId("files"))!, { target: { value: "a.csv\n\n b.csv " } });
    expect(latest.files).toEqual(["a.csv", "b.csv"]);
  });
  it("draw a kind that is not known as text, and lose nothing of it", () => {
    render(<Host fields={[{ name: "odd", type: "colour_wheel", required: true }]} options={{ odd: { a: 1 } }} />);
    expect((document.getElementById(fieldId("odd")) as HTMLTextAreaElement).value).toContain('"a": 1');
  });
});
