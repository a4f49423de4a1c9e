// The screens in the order of their tabs: `id` is the key of its name among the words.
import Edit from './Edit.svelte'
import Watch from './Watch.svelte'
import Data from './Data.svelte'
import Runs from './Runs.svelte'
import Try from './Try.svelte'
import Take from './Take.svelte'

export const screens = [
  { id: 'data', component: Data },
  { id: 'edit', component: Edit },
  { id: 'watch', component: Watch },
  { id: 'runs', component: Runs },
  { id: 'try', component: Try },
  { id: 'take', component: Take },
]
