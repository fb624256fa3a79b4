# SPDX-License-Identifier: Apache-2.0
package bench

principal := data.entities[input.principal]

resource := data.entities[input.resource]

viewing := {"readDocument", "listFolder"}

editing := {"readDocument", "listFolder", "writeDocument", "createDocument"}

granted if resource.attrs.owner == input.principal

granted if {
	input.action == "readDocument"
	resource.attrs.public
}

granted if {
	input.action in viewing
	resource.in[principal.attrs.shared]
}

granted if {
	input.action in editing
	principal.in[resource.attrs.team]
}

denied if data.entities[resource.attrs.owner].attrs.blocked[input.principal]

default allow := false

allow if {
	granted
	not denied
}
