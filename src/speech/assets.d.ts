/** Files that the bundler turns into a path (`type: 'file'`) or a string (`type: 'text'`). */
declare module '*.onnx' {
  const path: string
  export default path
}
declare module '*.so.1' {
  const path: string
  export default path
}
