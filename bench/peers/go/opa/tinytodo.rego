# SPDX-License-Identifier: Apache-2.0
package bench

principal := data.entities[input.principal]

resource := data.entities[input.resource]

editing := {"updateList", "createTask", "updateTask", "deleteTask"}

granted if {
	input.action in {"createList", "getLists"}
	input.resource == "Application::\"TinyTodo\""
}

granted if resource.attrs.owner == input.principal

granted if {
	input.action == "getList"
	principal.in[resource.attrs.readers]
}

granted if {
	input.action == "getList"
	principal.in[resource.attrs.editors]
}

granted if {
	input.action in editing
	principal.in[resource.attrs.editors]
}

denied if {
	input.action == "createList"
	principal.in["Team::\"interns\""]
}

default allow := false

allow if {
	granted
	not denied
}
