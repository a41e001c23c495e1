{# [whether it exists, the relation]: the relation is made up from the parts when it does not. #}
{% macro get_or_create_relation(database, schema, identifier, type) -%}
    {% do return(adapter.dispatch('get_or_create_relation', 'dbt')(database, schema, identifier, type)) %}
{% endmacro %}

{% macro default__get_or_create_relation(database, schema, identifier, type) %}
    {% set present = adapter.get_relation(database=database, schema=schema, identifier=identifier) %}
    {% if present %}
        {% do return([true, present]) %}
    {% endif %}
    {% do return([false, api.Relation.create(database=database, schema=schema, identifier=identifier, type=type)]) %}
{% endmacro %}

{# What the database has under this name, or none. #}
{% macro load_cached_relation(relation) %}
    {% do return(adapter.get_relation(
        database=relation.database, schema=relation.schema, identifier=relation.identifier)) %}
{% endmacro %}

{% macro load_relation(relation) %}
    {% do return(load_cached_relation(relation)) %}
{% endmacro %}
