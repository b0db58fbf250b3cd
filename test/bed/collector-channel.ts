/** The name under which the engine's threads are told to collect their garbage. */
export const collectChannel = 'patchcord-bed-collect'
