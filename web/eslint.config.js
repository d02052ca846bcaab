import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";
import { rooms } from "./eslint/rooms.js";

export default tseslint.config(
  { ignores: ["src/generated", "node_modules"] },
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs.flat.recommended,
  { files: ["src/**"], plugins: { rooms }, rules: { "rooms/one-way": "error" } },
  {
    rules: {
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "no-restricted-properties": ["error", { property: "dangerouslySetInnerHTML" }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Text from users is never markup.",
        },
        {
          selector: "CallExpression[callee.name='parseFloat']",
          message: "Money is bigint micros: no float.",
        },
      ],
    },
  },
  {
    files: ["src/**"],
    ignores: ["src/**/*.test.{ts,tsx}"],
    rules: {
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["src/{pages,parts,app}/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        { property: "dangerouslySetInnerHTML" },
        { property: "readContract", message: "chain/facts/ has one reader a contract." },
      ],
    },
  },
);
