// Uploads, indexes and asks about files with the Kotlin client of the original interface, and prints what happened as
// one JSON object. The client does not poll: the program does. Argument: the base URL.
import com.aallam.openai.api.BetaOpenAI
import com.aallam.openai.api.assistant.Assistant
import com.aallam.openai.api.assistant.AssistantRequest
import com.aallam.openai.api.assistant.AssistantTool
import com.aallam.openai.api.assistant.FileSearchResources
import com.aallam.openai.api.assistant.ToolResources
import com.aallam.openai.api.core.Role
import com.aallam.openai.api.core.Status
import com.aallam.openai.api.file.FileId
import com.aallam.openai.api.file.FileSource
import com.aallam.openai.api.file.FileUpload
import com.aallam.openai.api.file.Purpose
import com.aallam.openai.api.logging.LogLevel
import com.aallam.openai.api.message.Attachment
import com.aallam.openai.api.message.FileCitationAnnotation
import com.aallam.openai.api.message.MessageContent
import com.aallam.openai.api.message.MessageRequest
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.api.run.RunRequest
import com.aallam.openai.api.run.ToolCallStep
import com.aallam.openai.api.run.ToolCallsStep
import com.aallam.openai.api.vectorstore.ExpirationPolicy
import com.aallam.openai.api.vectorstore.FileBatchRequest
import com.aallam.openai.api.vectorstore.VectorStoreFileRequest
import com.aallam.openai.api.vectorstore.VectorStoreId
import com.aallam.openai.api.vectorstore.VectorStoreRequest
import com.aallam.openai.client.LoggingConfig
import com.aallam.openai.client.OpenAI
import com.aallam.openai.client.OpenAIHost
import com.aallam.openai.client.RetryStrategy
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.io.Buffer
import kotlinx.io.writeString
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.add
import kotlinx.serialization.json.buildJsonArray
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

const val HANDBOOK = "The seal of the pump wears out. \uD83D\uDC1D Replace it every 400 hours."

@OptIn(BetaOpenAI::class)
class Documents(private val client: OpenAI) {
    private val seen = mutableMapOf<String, List<Any?>>()

    suspend fun play(): Map<String, List<Any?>> {
        val file = upload("pump.txt", HANDBOOK)
        val store = indexed(file)
        seen["asked"] = asked(assistant(ToolResources(fileSearch = FileSearchResources(listOf(store)))), file, listOf())
        seen["attached"] = asked(assistant(null), file, listOf(Attachment(file, listOf(AssistantTool.FileSearch))))
        seen["deleted"] = listOf(client.delete(store, file), client.delete(store), client.delete(file))
        seen["missing"] = listOf(client.vectorStore(store), client.file(file))
        return seen
    }

    private suspend fun upload(name: String, text: String): FileId {
        val source = FileSource(name, Buffer().apply { writeString(text) })
        val file = client.file(FileUpload(source, Purpose("assistants")))
        if (name == "pump.txt") {
            seen["file"] = listOf(file.filename, file.bytes, file.status == Status.Processed, file.purpose == Purpose("assistants"))
            seen["content"] = listOf(client.download(file.id).decodeToString() == text)
        }
        return file.id
    }

    private suspend fun indexed(file: FileId): VectorStoreId {
        val request = VectorStoreRequest(name = "Handbooks", expiresAfter = ExpirationPolicy("last_active_at", 1))
        val store = client.createVectorStore(request).id
        client.updateVectorStore(store, VectorStoreRequest(name = "Manuals", metadata = mapOf("team" to "support")))
        val added = client.createVectorStoreFile(store, VectorStoreFileRequest(file))
        seen["added"] = listOf(added.id == file, added.vectorStoreId == store)
        val others = listOf(upload("boats.txt", "Boats leave on Mondays."), upload("a.pdf", "%PDF-1.4"))
        val created = client.createVectorStoreFilesBatch(store, FileBatchRequest(others))
        var batch = created
        while (batch.status == Status.InProgress) {
            delay(10)
            batch = client.vectorStoreFileBatch(store, batch.id)!!
        }
        seen["batch"] = listOf(batch.status.value, batch.fileCounts.completed, batch.fileCounts.failed)
        seen["cancelled"] = listOf(client.cancel(store, batch.id)?.status?.value)
        val failed = client.vectorStoreFilesBatches(store, batch.id, filter = Status.Failed)
        seen["failed"] = failed.map { it.lastError?.code }
        while (client.vectorStore(store)!!.fileCounts.inProgress > 0) delay(10)
        val ready = client.vectorStore(store)!!
        seen["store"] = listOf(ready.name, ready.status.value, ready.fileCounts.total, ready.expiresAfter?.days, ready.metadata?.get("team"))
        seen["files"] = client.vectorStoreFiles(store, limit = 10).map { it.status.value }
        seen["listed"] = listOf(client.files().size, client.vectorStores(limit = 1).map { it.id == store })
        return store
    }

    private suspend fun assistant(resources: ToolResources?): Assistant =
        client.assistant(AssistantRequest(model = ModelId("gpt-4o"), tools = listOf(AssistantTool.FileSearch), toolResources = resources))

    private suspend fun asked(assistant: Assistant, file: FileId, attachments: List<Attachment>): List<Any?> {
        val thread = client.thread().id
        client.message(thread, MessageRequest(role = Role.User, content = "How often?", attachments = attachments))
        var run = client.createRun(thread, RunRequest(assistantId = assistant.id))
        while (run.status in listOf(Status.Queued, Status.InProgress)) {
            delay(10)
            run = client.getRun(thread, run.id)
        }
        val text = (client.messages(thread).first().content.single() as MessageContent.Text).text
        val note = text.annotations.single() as FileCitationAnnotation
        val start = text.value.offsetByCodePoints(0, note.startIndex)
        val cited = text.value.substring(start, text.value.offsetByCodePoints(start, note.endIndex - note.startIndex))
        val calls = client.runSteps(thread, run.id).filterIsInstance<ToolCallsStep>().flatMap { it.stepDetails.toolCalls ?: listOf() }
        val found = calls.filterIsInstance<ToolCallStep.FileSearchTool>().flatMap { it.fileSearch.results ?: listOf() }
        val matches = found.map { it.fileId == file && it.fileName == "pump.txt" && it.score > 0 }
        return listOf(run.status.value, text.value, cited, note.fileCitation.fileId == file, matches)
    }
}

fun main(arguments: Array<String>) {
    val host = OpenAIHost(arguments[0] + "/")
    OpenAI(token = "any", host = host, logging = LoggingConfig(LogLevel.None), retry = RetryStrategy(maxRetries = 0)).use { client ->
        val seen = runBlocking { Documents(client).play() }
        println(buildJsonObject { for ((name, values) in seen) put(name, json(values)) })
    }
}

fun json(values: List<Any?>): JsonArray = buildJsonArray {
    values.forEach {
        when (it) {
            is List<*> -> add(json(it))
            is Number -> add(it)
            is Boolean -> add(it)
            else -> add(it as String?)
        }
    }
}
