{% macro duckdb__get_incremental_merge_sql(args_dict) %}
    {% do return(duckdb__get_merge_sql(
        args_dict['target_relation'], args_dict['temp_relation'], args_dict['unique_key'], args_dict['dest_columns'],
        normalize_incremental_predicates(args_dict.get('incremental_predicates')))) %}
{% endmacro %}

{% macro duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- do validate_merge_config(config, target) -%}
    {%- set usual = merge_clause_defaults(
        config.get('merge_update_condition', none),
        config.get('merge_insert_condition', none),
        config.get('merge_update_columns', []),
        config.get('merge_exclude_columns', []),
        config.get('merge_update_set_expressions', {})) -%}
    {%- set explicit = config.get('merge_update_columns') or config.get('merge_exclude_columns') or config.get('merge_update_set_expressions') -%}
    {%- set clauses = config.get('merge_clauses', {}) -%}
    {%- set matched = clauses.get('when_matched', [usual.when_matched_update_explicit if explicit else usual.when_matched_update_by_name]) -%}
    {%- set unmatched = clauses.get('when_not_matched', [usual.when_not_matched_insert_by_name]) -%}
    {%- set returned = config.get('merge_returning_columns', []) -%}
    {{ config.get('sql_header') or '' }}

    MERGE INTO {{ target }} AS DBT_INTERNAL_DEST
        USING {{ source }} AS DBT_INTERNAL_SOURCE
        {{ duckdb__merge_join_clause(unique_key, config.get('merge_on_using_columns', []), normalize_incremental_predicates(incremental_predicates)) }}
    {% for clause in matched %}
    WHEN MATCHED{{ _duckdb_merge_condition(clause) }}
    THEN
        {{ _duckdb_merge_update(clause, dest_columns) if clause.get('action') == 'update' else _duckdb_merge_action(clause) }}
    {% endfor %}
    {%- for clause in unmatched %}
    WHEN NOT MATCHED{{ ' BY ' ~ clause.get('by') | upper if clause.get('by') }}{{ _duckdb_merge_condition(clause) }}
    THEN
        {% if clause.get('action') == 'insert' -%}
        {{ _duckdb_merge_insert(clause) }}
        {%- elif clause.get('action') == 'update' -%}
        UPDATE SET {{ _duckdb_assignments(clause.get('set_expressions', {})) | join(', ') }}
        {%- else -%}
        {{ _duckdb_merge_action(clause) }}
        {%- endif %}
    {% endfor %}
    {%- if returned %}
    RETURNING {{ returned if returned is string else returned | join(', ') }}
    {%- endif %}
{% endmacro %}

{% macro duckdb__merge_join_clause(unique_key, merge_on_using_columns, incremental_predicates) -%}
    {%- set conditions = [] -%}
    {%- if merge_on_using_columns -%}
        USING ({{ merge_on_using_columns | join(', ') }})
    {%- elif not unique_key -%}
        {%- do conditions.append('FALSE') -%}
    {%- else -%}
        {%- for part in ([unique_key] if unique_key is string else unique_key) -%}
            {%- do conditions.append('DBT_INTERNAL_SOURCE.' ~ part ~ ' = DBT_INTERNAL_DEST.' ~ part) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do conditions.extend(incremental_predicates or []) -%}
    {%- if conditions %} ON ({{ conditions | join(') AND (') }}){% endif -%}
{%- endmacro %}

{% macro _duckdb_merge_condition(clause) -%}
    {%- set given = clause.get('condition') -%}
    {%- if given is string and given %} AND {{ given }}
    {%- elif given %} AND ({{ given | join(') AND (') }})
    {%- endif -%}
{%- endmacro %}

{% macro _duckdb_assignments(expressions) -%}
    {%- set assignments = [] -%}
    {%- for name, expression in expressions.items() -%}
        {%- do assignments.append(name ~ ' = ' ~ expression) -%}
    {%- endfor -%}
    {%- do return(assignments) -%}
{%- endmacro %}

{# An expression for a column goes before the plain value of the new row. #}
{% macro _duckdb_merge_update(clause, dest_columns) -%}
    {%- set mode = clause.get('mode') -%}
    {%- if mode == 'by_name' -%}
        UPDATE BY NAME
    {%- elif mode == 'by_position' -%}
        UPDATE BY POSITION
    {%- elif mode == 'star' -%}
        UPDATE SET *
    {%- elif mode == 'explicit' -%}
        {%- set chosen = clause.get('update', {}) -%}
        {%- set expressions = chosen.get('set_expressions', {}) -%}
        {%- set assignments = _duckdb_assignments(expressions) -%}
        {%- for name in get_merge_update_columns(chosen.get('include', []), chosen.get('exclude', []), dest_columns) -%}
            {%- if name.replace('"', '').replace("'", '') not in expressions -%}
                {%- do assignments.append(name ~ ' = DBT_INTERNAL_SOURCE.' ~ name) -%}
            {%- endif -%}
        {%- endfor -%}
        UPDATE SET {{ assignments | join(', ') }}
    {%- endif -%}
{%- endmacro %}

{% macro _duckdb_merge_insert(clause) -%}
    {%- set mode = clause.get('mode') -%}
    {%- if mode == 'by_name' -%}
        INSERT BY NAME
    {%- elif mode == 'by_position' -%}
        INSERT BY POSITION
    {%- elif mode == 'star' -%}
        INSERT *
    {%- elif mode == 'explicit' -%}
        {%- set given = clause.get('insert', {}) -%}
        INSERT ({{ given.get('columns', []) | join(', ') }}) VALUES ({{ given.get('values', []) | join(', ') }})
    {%- endif -%}
{%- endmacro %}

{% macro _duckdb_merge_action(clause) -%}
    {%- set action = clause.get('action') -%}
    {%- if action == 'delete' -%}
        DELETE
    {%- elif action == 'do_nothing' -%}
        DO NOTHING
    {%- elif action == 'error' -%}
        {%- set message = clause.get('error_message') or '' -%}
        ERROR{{ " '" ~ message | replace("'", "''") ~ "'" if message }}
    {%- endif -%}
{%- endmacro %}
