// The screens in the order of their tabs: `id` is the key of its name among the words.
import Edit from './Edit.svelte'
import Watch from './Watch.svelte'

export const screens = [
  { id: 'edit', component: Edit },
  { id: 'watch', component: Watch },
]
