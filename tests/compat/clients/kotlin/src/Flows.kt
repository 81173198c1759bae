// Drives a server with the Kotlin client whose interface the original of this project is, and prints what happened as
// one JSON object. Argument: the base URL.
import com.aallam.openai.api.BetaOpenAI
import com.aallam.openai.api.assistant.Assistant
import com.aallam.openai.api.assistant.AssistantRequest
import com.aallam.openai.api.assistant.AssistantTool
import com.aallam.openai.api.assistant.Function
import com.aallam.openai.api.chat.ToolCall
import com.aallam.openai.api.core.Parameters
import com.aallam.openai.api.core.Role
import com.aallam.openai.api.core.SortOrder
import com.aallam.openai.api.core.Status
import com.aallam.openai.api.exception.OpenAIAPIException
import com.aallam.openai.api.message.MessageContent
import com.aallam.openai.api.message.MessageRequest
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.api.run.AssistantStreamEventType
import com.aallam.openai.api.run.RequiredAction
import com.aallam.openai.api.run.Run
import com.aallam.openai.api.run.RunRequest
import com.aallam.openai.api.run.ThreadRunRequest
import com.aallam.openai.api.run.ToolOutput
import com.aallam.openai.api.thread.ThreadId
import com.aallam.openai.api.thread.ThreadMessage
import com.aallam.openai.api.thread.ThreadRequest
import com.aallam.openai.api.logging.LogLevel
import com.aallam.openai.client.LoggingConfig
import com.aallam.openai.client.OpenAI
import com.aallam.openai.client.OpenAIHost
import com.aallam.openai.client.RetryStrategy
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.add
import kotlinx.serialization.json.buildJsonArray
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject

@OptIn(BetaOpenAI::class)
class Flows(private val client: OpenAI) {
    private val seen = mutableMapOf<String, List<String>>()

    suspend fun play(): Map<String, List<String>> {
        val assistant = client.assistant(AssistantRequest(model = ModelId("gpt-4o"), instructions = "Be brief."))
        val named = client.assistant(assistant.id, AssistantRequest(model = ModelId("gpt-4o"), name = "brief"))
        seen["assistants"] = listOf(named.name ?: "") + client.assistants(limit = 1).map { it.id.id == assistant.id.id }.map { "$it" }
        polled(assistant)
        streamed(assistant)
        functions()
        seen["deleted"] = listOf("${client.delete(assistant.id)}")
        return seen
    }

    private suspend fun polled(assistant: Assistant) {
        val thread = client.thread(ThreadRequest(messages = listOf(ThreadMessage(role = Role.User, content = "Hi"))))
        val run = settled(client.createRun(thread.id, RunRequest(assistantId = assistant.id)))
        val messages = client.messages(thread.id, order = SortOrder.Ascending)
        seen["polled"] = listOf(run.status.value) + messages.flatMap { it.content }.map { (it as MessageContent.Text).text.value }
        seen["steps"] = client.runSteps(thread.id, run.id).map { it::class.simpleName ?: "" }
        seen["metadata"] = listOf(client.updateRun(thread.id, run.id, mapOf("a" to "b")).metadata?.get("a") ?: "")
        client.message(thread.id, MessageRequest(role = Role.User, content = "Again"))
        seen["thread"] = listOf("${client.delete(thread.id)}", "${client.thread(thread.id)}")
    }

    private suspend fun streamed(assistant: Assistant) {
        val thread = client.thread()
        client.message(thread.id, MessageRequest(role = Role.User, content = "Hi"))
        val events = client.createStreamingRun(thread.id, RunRequest(assistantId = assistant.id, stream = true)).toList()
        seen["events"] = events.map { it.rawType ?: "" }
        seen["unknown"] = events.filter { it.type == AssistantStreamEventType.UNKNOWN }.map { it.rawType ?: "" }
    }

    private suspend fun functions() {
        val parameters = Parameters.buildJsonObject {
            put("type", "object")
            putJsonObject("properties") { putJsonObject("city") { put("type", "string") } }
        }
        val tool = AssistantTool.FunctionTool(Function(name = "weather", description = "Weather", parameters = parameters))
        val forecaster = client.assistant(AssistantRequest(model = ModelId("gpt-4o"), tools = listOf(tool)))
        val asked = asks(forecaster)
        val calls = (asked.requiredAction as RequiredAction.SubmitToolOutputs).toolOutputs.toolCalls
        val call = calls.single() as ToolCall.Function
        seen["asked"] = listOf(asked.status.value, call.function.name, call.function.arguments)
        seen["locked"] = try {
            client.message(asked.threadId, MessageRequest(role = Role.User, content = "And?"))
            listOf()
        } catch (error: OpenAIAPIException) {
            listOf("${error.statusCode}", error.error.detail?.message ?: "")
        }
        val outputs = listOf(ToolOutput(toolCallId = call.id, output = "rain"))
        seen["answered"] = listOf(settled(client.submitToolOutput(asked.threadId, asked.id, outputs)).status.value)
        val left = asks(forecaster)
        val cancelled = client.cancel(left.threadId, left.id)
        seen["cancelled"] = listOf(cancelled?.let { settled(it).status.value } ?: "")
    }

    private suspend fun asks(assistant: Assistant): Run {
        val thread = ThreadRequest(messages = listOf(ThreadMessage(role = Role.User, content = "Oslo?")))
        return settled(client.createThreadRun(ThreadRunRequest(assistantId = assistant.id, thread = thread)))
    }

    private suspend fun settled(created: Run): Run {
        var run = created
        while (run.status in listOf(Status.Queued, Status.InProgress, Status.Cancelling)) {
            delay(10)
            run = client.getRun(run.threadId, run.id)
        }
        return run
    }
}

fun main(arguments: Array<String>) {
    val host = OpenAIHost(arguments[0] + "/")
    OpenAI(token = "any", host = host, logging = LoggingConfig(LogLevel.None), retry = RetryStrategy(maxRetries = 0)).use { client ->
        val seen = runBlocking { Flows(client).play() }
        println(buildJsonObject { for ((name, values) in seen) put(name, buildJsonArray { values.forEach { add(it) } }) })
    }
}
