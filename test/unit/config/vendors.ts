/** The vendors of this version, as the composition root hands them to the configuration. */
export { vendorSchemas as vendors } from '#providers/schemas.ts'
