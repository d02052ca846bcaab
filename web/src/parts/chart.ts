/** What a chart shows of rows; drawn by Plot, followed by its table in ChartTable. */

/** One line or row of bars. What is not known is `null`, and leaves a gap. */
export interface Series<T> {
  name: string;
  value: (row: T) => number | null;
  /** Bars for what adds up in a period, a line for a level. The second of two lines is dashed. */
  shape: "bar" | "line" | "area";
}

/** What one chart shows of the rows. A chart has one scale: two measures are two charts. */
export interface ChartOf<T> {
  title: string;
  series: readonly Series<T>[];
  /** A value of the scale as text, for the axis. */
  tick: (value: number) => string;
  /** A value as text with its unit, for pointing; `tick` unless given. */
  exact?: (value: number) => string;
  /** Ends of the scale; from zero to the largest value unless given. */
  scale?: readonly [number | "auto", number | "auto"];
  /** Values that the axis names; round ones are found unless given. */
  ticks?: readonly number[];
}
