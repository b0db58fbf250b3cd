// Loaded before every test file. A rejection nobody handled is a bug in the code under test, so it fails the run.
process.on('unhandledRejection', (reason) => {
  console.error('unhandled rejection in a test:', reason)
  process.exitCode = 1
})
